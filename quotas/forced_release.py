"""Asking for the release of everything an account pays for, at once."""

from datetime import datetime

from accounts.models import BillingAccount, BindingPhase
from quotas.models import Allocation, AllocationStatus

RUNNING = (AllocationStatus.ACTIVE, AllocationStatus.RELEASING)


def running_of(account: BillingAccount) -> list[Allocation]:
    """The allocations that the account pays for now: active ones, and those whose release is not confirmed yet."""
    found = Allocation.objects.filter(
        cursor__done=False,
        status__in=RUNNING,
        project__bindings__billing_account=account,
        project__bindings__phase=BindingPhase.ACTIVE,
    )
    return list(found.order_by("pk"))


def ask_for_all(account: BillingAccount, *, at: datetime) -> list[Allocation]:
    """Put what runs into `releasing`; all that runs is returned. The caller holds the lock, audits and tells."""
    running = running_of(account)
    active = [allocation for allocation in running if allocation.status == AllocationStatus.ACTIVE]
    for allocation in active:
        allocation.status, allocation.release_requested_at = (
            AllocationStatus.RELEASING,
            max(at, allocation.started_at or at),
        )
    Allocation.objects.bulk_update(active, ["status", "release_requested_at"], batch_size=1000)
    return running
