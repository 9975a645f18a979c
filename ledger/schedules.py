"""Hints of when an account is worth a look."""

from accounts.models import PolicyScope, PolicyValue
from ledger.models import AccrualSchedule


def wake(changed: PolicyValue) -> None:
    """A new window width holds from the cursor on: look at the accounts it concerns at the next ring."""
    schedules = AccrualSchedule.objects.exclude(due_at=None)
    if changed.scope == PolicyScope.TENANT:
        schedules = schedules.filter(billing_account__organization=changed.scope_id)
    schedules.update(due_at=changed.updated_at)
