"""Enforcement: each source owns one open reason; the level is the worst open one and is never stored."""

from datetime import datetime

from django.db import transaction

from accounts.models import BillingAccount, EnforcementReason, Level

FULL = "full"
_SEVERITY = {Level.WARN: 1, Level.RESTRICTED: 2, Level.HALTED: 3}


def level(account_id: int) -> str:
    """full, warn, restricted or halted: the worst open reason of the account."""
    open_levels = EnforcementReason.objects.filter(billing_account_id=account_id, closed_at=None).values_list(
        "level", flat=True
    )
    return max(open_levels, key=lambda word: _SEVERITY[Level(word)], default=FULL)


@transaction.atomic
def open_reason(account: BillingAccount, source: str, wanted: Level, *, why: str, at: datetime) -> EnforcementReason:
    """Hold the account back at a level for one source; another level, or another why, closes the old reason and opens
    a new one.

    The caller holds the account's lock.
    """
    current = EnforcementReason.objects.filter(billing_account=account, source=source, closed_at=None).first()
    if current and (current.level, current.why) == (wanted, why):
        return current
    if current:
        close_reason(account, source, at=at)
    return EnforcementReason.objects.create(billing_account=account, source=source, level=wanted, why=why, since=at)


def close_reason(account: BillingAccount, source: str, *, at: datetime) -> bool:
    """Let the source's open reason go; False where none was open. The caller holds the account's lock."""
    return bool(
        EnforcementReason.objects.filter(billing_account=account, source=source, closed_at=None).update(closed_at=at)
    )
