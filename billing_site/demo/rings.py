"""When the demo must look at balances between its daily ticks."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from ledger.balance_rule import projected_depletion
from ledger.models import AccrualSchedule, BalanceState, LedgerEntry

HOUR = timedelta(hours=1)


def rings_before(moment: datetime, account_ids: Collection[int]) -> Iterator[datetime]:
    """The full hours before a moment in which an account comes within two hours of zero; ask again after each."""
    passed: datetime | None = None
    while (ring := _next_ring(account_ids, passed)) and ring < moment:
        yield ring
        passed = ring


def _next_ring(account_ids: Collection[int], passed: datetime | None) -> datetime | None:
    """Two hours before the first account runs dry at its burn, then every hour until it has."""
    rings = []
    for state in BalanceState.objects.filter(pk__in=account_ids, burn_minor_per_hour__gt=0).exclude(state="depleted"):
        newest = LedgerEntry.objects.filter(
            ledger_account__billing_account=state.pk, ledger_account__kind="wallet"
        ).order_by("-account_seq")
        billed_to = AccrualSchedule.objects.get(pk=state.pk).due_at
        balance_minor = newest.values_list("balance_after", flat=True).first()
        if billed_to is None or balance_minor is None:
            continue
        dry = projected_depletion(balance_minor, state.burn_minor_per_hour, billed_to - HOUR)
        if dry is not None:
            first = _full_hour(dry) - 2 * HOUR
            rings.append(max(first, passed + HOUR) if passed else first)
    return min(rings, default=None)


def _full_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + HOUR
