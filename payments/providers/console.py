"""How a payment provider shows in a console: what customers may start with it, and its door for events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from accounts.callers import Caller
from accounts.models import Organization


class Start(StrEnum):
    """What a customer may start from a console; each is a route that is there only while a provider answers it."""

    SUBSCRIBE = "subscribe"
    CHANGE_PLAN = "change_plan"
    CANCEL = "cancel"
    ADD_ADDON = "add_addon"
    REMOVE_ADDON = "remove_addon"
    VERIFY_CHECKOUT = "verify_checkout"
    PORTAL = "portal"


@dataclass(frozen=True)
class Started:
    """A customer starts something: who, for which organization, with which words of theirs (`planId`, `addonId`,
    `sessionId`), and when."""

    caller: Caller
    organization: Organization
    given: Mapping[str, str]
    at: datetime


@dataclass(frozen=True)
class Delivery:
    """An event as it came: raw, for its signature to be checked."""

    body: bytes
    headers: Mapping[str, str]
    at: datetime


Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Console:
    """How a provider shows in a console: the word that consoles know it by, what may be started with it, and its door
    for events. What is answered goes into the answer as it is; refusals are DomainErrors."""

    word: Literal["none", "stripe", "whmcs"] = "none"
    sandbox: bool = False
    starts: Mapping[Start, Callable[[Started], Answer]] = field(default_factory=dict)
    webhook: Callable[[Delivery], Answer] | None = None

    def offered(self) -> list[str]:
        """What may be started, in words."""
        return [start.replace("_", " ") for start in self.starts]
