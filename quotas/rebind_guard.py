"""What this room says when a project wants to move to another account."""

from datetime import datetime

from django.db.models import Q

from accounts.models import BillingAccount, Project
from quotas.models import Allocation, AllocationStatus
from quotas.price_book import rate_in_force


def rates_exist(*, project: Project, account: BillingAccount, at: datetime) -> list[str]:
    """`no_rate` where an allocation that runs, or ran after that moment, has no rate in the new account's currency."""
    running = Allocation.objects.filter(project=project).filter(
        Q(status__in=[AllocationStatus.ACTIVE, AllocationStatus.RELEASING]) | Q(released_at__gt=at)
    )
    skus = running.values_list("sku_id", flat=True).distinct()
    return ["no_rate"] if any(rate_in_force(sku, account.currency, at) is None for sku in skus) else []
