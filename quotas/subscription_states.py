"""How a subscription moves from state to state, and what each state means for enforcement. Pure.

Source: the status machine of the platform that `plans.yaml` comes from. What its provider calls deleted is suspended
here first; canceled follows after the grace of `quotas.suspension_grace_days`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import Level
from quotas.models import SubscriptionStatus as Status

PAYING = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE, Status.CANCELING})

# Held equal to the trigger subscriptions_move_by_their_states by a test.
MOVES: dict[str, frozenset[str]] = {
    Status.INCOMPLETE: frozenset({Status.TRIALING, Status.ACTIVE, Status.SUSPENDED}),
    Status.TRIALING: frozenset({Status.ACTIVE, Status.PAST_DUE, Status.CANCELING, Status.SUSPENDED}),
    Status.ACTIVE: frozenset({Status.PAST_DUE, Status.CANCELING, Status.SUSPENDED}),
    Status.PAST_DUE: frozenset({Status.ACTIVE, Status.CANCELING, Status.SUSPENDED}),
    Status.CANCELING: frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE, Status.SUSPENDED}),
    Status.SUSPENDED: frozenset({Status.ACTIVE, Status.CANCELED}),
    Status.CANCELED: frozenset({Status.ACTIVE}),
}


@dataclass(frozen=True)
class Hold:
    """What a state does to the organization: the level, and why."""

    level: Level
    why: str


HOLDS: dict[str, Hold] = {
    Status.INCOMPLETE: Hold(Level.RESTRICTED, "the subscription has not begun: its first payment is missing"),
    Status.SUSPENDED: Hold(Level.RESTRICTED, "the subscription is suspended"),
    Status.CANCELED: Hold(Level.HALTED, "the subscription is canceled"),
}


def next_move_at(
    status: str,
    *,
    period_end: datetime,
    trial_ends_at: datetime | None,
    suspended_at: datetime | None,
    grace_days: int,
) -> datetime | None:
    """When a subscription moves by itself: its trial, its period or its grace ends. None where it does not."""
    if status == Status.TRIALING:
        return trial_ends_at
    if status in PAYING:
        return period_end
    if status == Status.SUSPENDED and suspended_at:
        return suspended_at + timedelta(days=grace_days)
    return None
