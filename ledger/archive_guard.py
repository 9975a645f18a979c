"""What this room says when a billing account is to be archived, or a project closed."""

from datetime import datetime

from django.db.models import F, Q

from accounts.models import BillingAccount, DeliveryState, OutboxDelivery, Project
from ledger.balances import balance
from ledger.models import AccrualCursor
from quotas import topics
from quotas.models import Allocation


def nothing_is_owed(*, account: BillingAccount, at: datetime) -> list[str]:
    """`has_balance` unless every kind stands at zero; `has_unsettled_usage` while usage is still to be posted."""
    codes = ["has_balance"] if any(balance(account).kinds.values()) else []
    return [*codes, "has_unsettled_usage"] if _waits_for_the_tick(account) or _waits_for_a_credit(account) else codes


def nothing_waits_in(*, project: Project, at: datetime) -> list[str]:
    """`has_unsettled_usage` while usage of the project is still to be posted."""
    return ["has_unsettled_usage"] if AccrualCursor.objects.filter(project=project, done=False).exists() else []


def _waits_for_the_tick(account: BillingAccount) -> bool:
    """Usage that has ended, or moved to another account, and is not billed to its end."""
    ended = Q(project__bindings__superseded_at=None, ends_at__isnull=False)
    moved_on = Q(project__bindings__superseded_at__gt=F("accrued_to"))
    cursors = AccrualCursor.objects.filter(ended | moved_on, done=False, project__bindings__billing_account=account)
    return cursors.exists()


def _waits_for_a_credit(account: BillingAccount) -> bool:
    """A release of something the account paid for was reported late, and its credit is not delivered."""
    waiting = OutboxDelivery.objects.filter(message__topic=topics.RELEASE_REPORTED_LATE)
    payloads = waiting.exclude(state=DeliveryState.DELIVERED).values_list("message__payload", flat=True)
    late = [payload["allocation_id"] for payload in payloads]
    return Allocation.objects.filter(pk__in=late, project__bindings__billing_account=account).exists()
