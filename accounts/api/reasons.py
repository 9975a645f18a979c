"""Why something is done: staff say it, customers and programs may."""

from typing import Any

from accounts.api.fields import Body, Text
from accounts.audit import optional_reason, require_reason
from accounts.callers import Caller


class Reasoned(Body):
    """What every body of an act has."""

    reason = Text(required=False, help_text="Why, in 3 to 2,000 characters. Staff must say it; it is kept.")


class WithReason(Body):
    """What acts of staff have."""

    reason = Text(help_text="Why, in 3 to 2,000 characters; it is kept.")


def reason_of(given: dict[str, Any], caller: Caller, *, unsaid: str | None = None) -> str | None:
    """The reason, taken out of what was given; `unsaid` where a customer gives none. Raises ReasonRequired."""
    said: str | None = given.pop("reason", None)
    if caller.staff:
        return require_reason(said or "")
    return optional_reason(said) or unsaid
