"""Credit for windows billed after a machine was gone, when its platform reported the release late."""

from collections import defaultdict
from datetime import datetime

from accounts.audit import record, system
from accounts.currencies import exponent
from accounts.locking import lock_account
from accounts.models import OutboxMessage
from ledger.adjustments import post_adjustment
from ledger.models import UsageRecord
from ledger.rating import Segment, cost_until
from quotas.models import Allocation

_ACTOR = system("accrual")


def credit_overrun(message: OutboxMessage, *, at: datetime) -> None:
    """Credit to each account what it paid for windows after `completed_at`; once, by its business key."""
    allocation = Allocation.objects.get(pk=message.payload["allocation_id"])
    if allocation.completed_at is None:
        return
    for account_id, overrun_minor in overruns(allocation, allocation.completed_at).items():
        account = lock_account(account_id)
        posted = post_adjustment(
            account,
            overrun_minor,
            key=f"late_release-{allocation.pk}-{account_id}",
            reference=("allocation", allocation.pk),
            actor=_ACTOR,
            at=at,
        )
        balance_minor = next(iter(posted.balances.values()))
        record(
            _ACTOR,
            "allocation.credit_overrun",
            subject=("allocation", allocation.pk),
            account=account,
            at=at,
            reason="the release was reported after its usage had been billed",
            old_balance=balance_minor - overrun_minor,
            new_balance=balance_minor,
        )


def overruns(allocation: Allocation, completed_at: datetime) -> dict[int, int]:
    """Minor units billed after a moment, by account: whole windows, and the rest of the one the moment lies in."""
    overrun: defaultdict[int, int] = defaultdict(int)
    records = UsageRecord.objects.filter(allocation=allocation, interval_end__gt=completed_at)
    for usage in records.select_related("sku_rate", "billing_account"):
        overrun[usage.billing_account_id] += usage.cost_minor - _cost_before(usage, completed_at)
    return {account_id: amount for account_id, amount in overrun.items() if amount}


def _cost_before(usage: UsageRecord, moment: datetime) -> int:
    if moment <= usage.interval_start:
        return 0
    segment = Segment(
        starts_at=usage.segment_start,
        ends_at=None,
        rate_per_unit_hour=usage.sku_rate.rate_per_unit_hour,
        quantity=usage.quantity,
        exponent=exponent(usage.billing_account.currency),
        account_id=usage.billing_account_id,
    )
    return cost_until(segment, moment) - cost_until(segment, usage.interval_start)
