"""Hints of when an account is worth a look."""

from accounts.models import PolicyScope, PolicyValue
from ledger.models import AccrualSchedule


def wake(changed: PolicyValue) -> None:
    """A new window width holds from the cursor on: look at the accounts it concerns at the next ring.

    An account that is behind keeps its older moment: months are made from the oldest one on.
    """
    schedules = AccrualSchedule.objects.filter(due_at__gt=changed.updated_at)
    if changed.scope == PolicyScope.TENANT:
        schedules = schedules.filter(billing_account__organization=changed.scope_id)
    schedules.update(due_at=changed.updated_at)
