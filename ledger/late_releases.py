"""Credit for windows billed after a machine was gone, when its platform reported the release late."""

from collections import defaultdict
from datetime import datetime

from accounts.audit import record, system
from accounts.currencies import exponent
from accounts.locking import lock_accounts
from accounts.models import OutboxMessage
from ledger.adjustments import post_adjustment
from ledger.chart import late_release_key
from ledger.models import LedgerEntry, LedgerTransaction, UsageRecord
from ledger.rating import Segment, cost_until
from quotas.models import Allocation

_ACTOR = system("accrual")


def credit_overrun(message: OutboxMessage, *, at: datetime) -> None:
    """Credit to each account what it paid for windows after `completed_at`; once, by its business key."""
    allocation = Allocation.objects.get(pk=message.payload["allocation_id"])
    if allocation.completed_at is None:
        return
    credits = overruns(allocation, allocation.completed_at)
    accounts = lock_accounts(credits)
    for account_id, overrun_minor in credits.items():
        account = accounts[account_id]
        posted = post_adjustment(
            account,
            overrun_minor,
            key=late_release_key(allocation.pk, account_id),
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
    charged = UsageRecord.objects.filter(allocation=allocation, interval_end__gt=completed_at, cost_minor__gt=0)
    records = list(charged.select_related("sku_rate", "billing_account"))
    corrected = _corrected(records)
    for usage in records:
        if (usage.ledger_account_id, usage.account_seq) in corrected:
            continue
        overrun[usage.billing_account_id] += usage.cost_minor - _cost_before(usage, completed_at)
    return {account_id: amount for account_id, amount in overrun.items() if amount}


def _corrected(records: list[UsageRecord]) -> set[tuple[int, int | None]]:
    """The debits among these whose whole run was corrected: that money went back already."""
    debits = LedgerEntry.objects.filter(
        ledger_account_id__in={usage.ledger_account_id for usage in records},
        account_seq__in={usage.account_seq for usage in records},
    ).values_list("transaction_id", "ledger_account_id", "account_seq")
    keys = {f"correct:{transaction_id}" for transaction_id, _, _ in debits}
    found = set(LedgerTransaction.objects.filter(business_key__in=keys).values_list("business_key", flat=True))
    return {(account, seq) for transaction_id, account, seq in debits if f"correct:{transaction_id}" in found}


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
