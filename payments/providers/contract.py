"""What a payment provider is to the rest of the product. A provider is a folder that can be deleted."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from accounts.errors import DomainError
from payments.providers.console import Console


class NotOffered(DomainError):
    """The provider does not do that; its starting routes answer as if they did not exist."""

    code = "not_offered"
    status = 404


@dataclass(frozen=True)
class Capabilities:
    """What customers and staff may start with this provider."""

    checkout: bool = False
    stored_methods: bool = False
    refunds: bool = False
    staff_transfers: bool = False


class Provider(ABC):
    """The contract's first verbs: who it is, what it can do, and where its money waits in the book."""

    name: ClassVar[str]
    label: ClassVar[str]

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What may be started."""

    def console(self) -> Console:
        """What customers may start from a console; nothing, unless a provider says otherwise."""
        return Console()

    def owns_objects(self) -> bool:
        """Whether events about something of ours may still come: its door stays open though another is in force."""
        return False

    def require(self, capability: str) -> None:
        """Raise NotOffered where the provider lacks a capability."""
        if not getattr(self.capabilities(), capability):
            raise NotOffered(f"the {self.label} provider has no {capability.replace('_', ' ')}")
