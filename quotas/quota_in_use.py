"""How much of each limit an organization has in use, and when that was counted."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts import policy
from accounts.models import Organization
from accounts.policy_scopes import organization_scope
from quotas.dimensions import bounds
from quotas.external_ips import public_held
from quotas.models import Limit, ReportedUsage
from quotas.quota_bars import Bar, bars
from quotas.usage_report import ALERT_PERCENT

ADDRESSES = "external_ips"  # we count them ourselves


@dataclass(frozen=True)
class InUse:
    """`reported` by dimension; `computed_at` is when the limits were, None where there are none."""

    bars: list[Bar]
    reported: dict[str, datetime]
    computed_at: datetime | None


def in_use(organization: Organization) -> InUse:
    """Of the organization as a whole, its projects included."""
    limits = list(Limit.objects.filter(organization=organization, project=None))
    rows = list(ReportedUsage.objects.filter(organization=organization, project=None))
    used: dict[str, Decimal | None] = {row.dimension: row.used for row in rows}
    used[ADDRESSES] = Decimal(public_held(organization))
    alerts = sorted(policy.effective(ALERT_PERCENT, organization_scope(organization)))
    return InUse(
        bars(bounds(limits), used, alerts),
        {row.dimension: row.reported_at for row in rows},
        max((limit.computed_at for limit in limits), default=None),
    )
