"""Hints of when an account is worth a look."""

from datetime import datetime

from accounts.models import PolicyScope, PolicyValue
from ledger.models import AccrualSchedule


def wake(changed: PolicyValue) -> None:
    """A new window width holds from the cursor on: look at the accounts it concerns at the next ring.

    An account that is behind keeps its older moment: months are made from the oldest one on.
    """
    schedules = AccrualSchedule.objects.filter(due_at__gt=changed.updated_at)
    if changed.scope == PolicyScope.TENANT:
        schedules = schedules.filter(billing_account__organization=changed.scope_id)
    elif changed.scope == PolicyScope.PLAN:
        schedules = schedules.filter(billing_account__organization__subscription__plan=changed.scope_id)
    schedules.update(due_at=changed.updated_at)


def wake_organization(organization_id: int, at: datetime) -> None:
    """Its plan changed, and with it perhaps the width of its windows."""
    schedules = AccrualSchedule.objects.filter(due_at__gt=at, billing_account__organization=organization_id)
    schedules.update(due_at=at)
