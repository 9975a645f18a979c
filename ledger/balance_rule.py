"""The rule of the balance state for one account, pure. Its words: docs/postings.md, "Balance state", 2."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ledger.models.balance_states import State

_LATEST = timedelta(days=36_500)


@dataclass(frozen=True)
class Terms:
    """What a balance is judged by: minor units of the account's currency, and seconds."""

    threshold_minor: int
    projection_seconds: int


def state_of(balance_minor: int | None, burn_minor_per_hour: Decimal, terms: Terms) -> State:
    """Where a balance stands; None is an account without entries, which is healthy."""
    if balance_minor is None:
        return State.HEALTHY
    if balance_minor <= 0:
        return State.DEPLETED
    burn, per = burn_minor_per_hour.as_integer_ratio()  # a Decimal product would be rounded to 28 digits
    if burn > 0 and balance_minor * 3600 * per <= burn * terms.projection_seconds:
        return State.AUTO_RELEASE_PENDING
    return State.LOW_BALANCE if balance_minor <= terms.threshold_minor else State.HEALTHY


def healthy_above(burn_minor_per_hour: Decimal, terms: Terms) -> int:
    """The largest balance that is not healthy: whatever is above it is, by the rule of `state_of`."""
    burn, per = burn_minor_per_hour.as_integer_ratio()
    return max(0, terms.threshold_minor, burn * terms.projection_seconds // (3600 * per))


def projected_depletion(balance_minor: int, burn_minor_per_hour: Decimal, at: datetime) -> datetime | None:
    """When the balance reaches zero at today's burn, to the second; None where nothing runs or a century passes."""
    if burn_minor_per_hour <= 0 or balance_minor <= 0:
        return None
    burn, per = burn_minor_per_hour.as_integer_ratio()
    seconds = balance_minor * 3600 * per // burn
    return at + timedelta(seconds=seconds) if seconds < _LATEST.total_seconds() else None


def steps(before: State, after: State) -> list[State]:
    """The states passed through on the way: whoever falls from healthy to zero has been low."""
    if before == after:
        return []
    if before == State.HEALTHY and after == State.DEPLETED:
        return [State.LOW_BALANCE, State.DEPLETED]
    return [after]
