"""What this room says when a billing account is to be archived, or a project closed."""

from datetime import datetime

from django.db.models import F, Q

from accounts.models import BillingAccount, Project
from quotas.models import Allocation, AllocationStatus

_RUNNING = (AllocationStatus.REQUESTED, AllocationStatus.ACTIVE, AllocationStatus.RELEASING)


def nothing_runs(*, account: BillingAccount, at: datetime) -> list[str]:
    """`has_running_allocations` while something is requested or runs that the account pays for, or once paid for.

    What moved on to another account counts until it is released: its platform may still report that the machine was
    gone before the move, and the money then goes back to the account that paid.
    """
    paid = Q(project__bindings__superseded_at=None) | Q(started_at__lt=F("project__bindings__superseded_at"))
    running = Allocation.objects.filter(paid, project__bindings__billing_account=account, status__in=_RUNNING)
    return ["has_running_allocations"] if running.exists() else []


def nothing_runs_in(*, project: Project, at: datetime) -> list[str]:
    """`has_running_allocations` while something is requested or runs in the project."""
    running = Allocation.objects.filter(project=project, status__in=_RUNNING)
    return ["has_running_allocations"] if running.exists() else []
