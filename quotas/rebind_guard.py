"""What this room says when a project wants to move to another account."""

from datetime import datetime

from accounts.models import BillingAccount, Project
from quotas.models import Allocation, AllocationStatus
from quotas.price_book import rate_in_force


def rates_exist(*, project: Project, account: BillingAccount, at: datetime) -> list[str]:
    """`no_rate` where a running allocation has no rate in the new account's currency."""
    running = Allocation.objects.filter(
        project=project, status__in=[AllocationStatus.ACTIVE, AllocationStatus.RELEASING]
    )
    skus = running.values_list("sku_id", flat=True).distinct()
    return ["no_rate"] if any(rate_in_force(sku, account.currency, at) is None for sku in skus) else []
