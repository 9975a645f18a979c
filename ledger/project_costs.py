"""What a project's machines cost in a month, as they were rated; corrections of the account are not a project's."""

from datetime import datetime

from django.db.models import Sum

from accounts.models import Project
from ledger.models import UsageRecord


def usage_cost(project: Project, start: datetime, end: datetime) -> dict[str, int]:
    """Minor units by currency, of windows that begin in [start, end). One query, over the project's windows."""
    rows = UsageRecord.objects.filter(
        allocation__project=project, interval_start__gte=start, interval_start__lt=end, cost_minor__gt=0
    )
    found = rows.values_list("billing_account__currency").annotate(total=Sum("cost_minor"))
    return {currency: int(total) for currency, total in found.order_by("billing_account__currency")}
