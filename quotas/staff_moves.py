"""What staff may do to the state of a subscription, by name: from where, and to where."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.audit import Actor
from accounts.errors import Conflict
from quotas.models import Subscription
from quotas.models import SubscriptionStatus as Status
from quotas.subscription_states import MOVES
from quotas.subscriptions import locked, move


@dataclass(frozen=True)
class StaffMove:
    begins: tuple[str, ...]
    ends: str


STAFF_MOVES = {
    "cancel": StaffMove((Status.TRIALING, Status.ACTIVE, Status.PAST_DUE), Status.CANCELING),
    "keep": StaffMove((Status.CANCELING,), Status.ACTIVE),
    "overdue": StaffMove((Status.TRIALING, Status.ACTIVE, Status.CANCELING), Status.PAST_DUE),
    "paid": StaffMove((Status.PAST_DUE, Status.INCOMPLETE), Status.ACTIVE),
    "suspend": StaffMove(
        tuple(status for status, onwards in MOVES.items() if Status.SUSPENDED in onwards), Status.SUSPENDED
    ),
    "resubscribe": StaffMove((Status.SUSPENDED, Status.CANCELED), Status.ACTIVE),
}


@transaction.atomic
def move_by_staff(subscription_id: int, name: str, *, actor: Actor, reason: str, at: datetime) -> Subscription:
    """One of STAFF_MOVES. Raises NotFound, Conflict (`wrong_status`) and what `subscriptions.move` raises."""
    wanted, status = STAFF_MOVES[name], locked(subscription_id).status
    if status not in wanted.begins:
        gone = f"the subscription is {status}; this begins with {' or '.join(wanted.begins)}"
        raise Conflict(gone, field="status", code="wrong_status")
    return move(subscription_id, wanted.ends, actor=actor, reason=reason, at=at)
