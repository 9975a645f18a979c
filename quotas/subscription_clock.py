"""Subscriptions move by themselves: trials become paid, periods follow each other, cancellations and graces end.

What is due is read from the database. A lost, doubled or late ring changes nothing: each move is dated by when it was
due, and one that is late by several periods makes them all.
"""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from accounts.clock import check_moment
from accounts.models import Organization
from quotas.models import Subscription
from quotas.models import SubscriptionStatus as Status
from quotas.subscriptions import ACTOR, enter_period, locked, move, schedule

log = structlog.get_logger(__name__)
_MOST_STEPS = 1000


def drain(at: datetime, *, most: int = 10_000) -> int:
    """Move every subscription that is due by `at`, or by its account's own clock, each in a transaction; how many.

    One that fails does not stop the others: it stays due, and is named in the log.
    """
    at, moved = check_moment(at), 0
    clock = Coalesce("billing_account__test_now", Value(at))
    due = Subscription.objects.annotate(clock=clock).filter(due_at__lte=F("clock")).order_by("due_at", "pk")
    for key, clock_at in due.values_list("pk", "clock")[:most]:
        try:
            moved += settle(key, clock_at)
        except Exception:
            log.exception("subscription_did_not_move", subscription=key)
    return moved


@transaction.atomic
def settle(subscription_id: int, at: datetime) -> bool:
    """Make every move of one subscription that is due by `at`, in order; False where another process has it."""
    if not _free(subscription_id):
        return False
    for _ in range(_MOST_STEPS):
        subscription = locked(subscription_id)
        if subscription.due_at is None or subscription.due_at > at:
            break
        _step(subscription, subscription.due_at)
    return True


def _free(subscription_id: int) -> bool:
    """Claim its organization, whose lock every act on it takes first; whoever has it does the work."""
    owners = Organization.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return owners.filter(subscription=subscription_id).values_list("pk").first() is not None


def _step(subscription: Subscription, due: datetime) -> None:
    status = subscription.status
    if status == Status.TRIALING:
        move(subscription.pk, Status.ACTIVE, actor=ACTOR, reason="the trial ended", at=due)
        _enter(subscription.pk, due)
    elif status == Status.CANCELING:
        move(subscription.pk, Status.SUSPENDED, actor=ACTOR, reason="canceled; the paid period ended", at=due)
    elif status == Status.SUSPENDED:
        move(subscription.pk, Status.CANCELED, actor=ACTOR, reason="the grace of the suspension ended", at=due)
    else:
        _enter(subscription.pk, due)


def _enter(subscription_id: int, at: datetime) -> None:
    """The next period begins."""
    subscription = locked(subscription_id)
    enter_period(subscription, at)
    schedule(subscription)
    subscription.save(update_fields=["period_start", "period_end", "due_at"])
