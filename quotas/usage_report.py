"""What the platform says is in use. The newest report of a dimension stands; unknown is unknown, not zero.

Crossing one of `quotas.alert_percent` upwards tells the organization once; falling below it arms it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from accounts import policy
from accounts.clock import check_moment
from accounts.errors import NotFound, TimeInvalid
from accounts.locking import lock_organization
from accounts.models import Organization, Project
from accounts.outbox import emit_each
from accounts.policy_scopes import organization_scope
from quotas import topics
from quotas.dimensions import bounds, named, read, write
from quotas.models import Limit, ReportedUsage

ALERT_PERCENT = "quotas.alert_percent"
CLOCKS_DIFFER = timedelta(minutes=5)  # a report from further ahead would keep later ones out


@dataclass(frozen=True)
class Reported:
    """Which dimensions were taken, and which were older than what is known already."""

    taken: tuple[str, ...]
    outdated: tuple[str, ...]


@transaction.atomic
def report(
    organization: Organization,
    readings: Mapping[str, object],
    *,
    project: Project | None = None,
    reported_at: datetime,
    at: datetime,
) -> Reported:
    """Take readings, dimension → quantity or None for unknown, of an organization or of one of its projects.

    Raises NotFound (a project of somebody else), DimensionUnknown, QuantityInvalid, TimeInvalid (in the future too).
    """
    reported_at = check_moment(reported_at, field="reported_at")
    if reported_at > at + CLOCKS_DIFFER:
        raise TimeInvalid("usage is counted before it is reported", field="reported_at")
    if project is not None and project.organization_id != organization.pk:
        raise NotFound("no such project", field="project")
    known = read({name: value for name, value in readings.items() if value is not None})
    wanted: dict[str, Decimal | None] = {named(name).name: None for name in readings} | known
    lock_organization(organization.pk)
    rows = ReportedUsage.objects.filter(organization=organization, project=project, dimension__in=wanted)
    kept = {row.dimension: row for row in rows}
    outdated = {name for name, row in kept.items() if row.reported_at > reported_at}
    taken = [
        kept.get(name) or ReportedUsage(organization=organization, project=project, dimension=name)
        for name in wanted
        if name not in outdated
    ]
    for row in taken:
        row.used, row.reported_at = wanted[row.dimension], reported_at
    if project is None:
        _alert(organization, taken, at)
    ReportedUsage.objects.bulk_create(
        taken,
        update_conflicts=True,
        unique_fields=["organization", "project", "dimension"],
        update_fields=["used", "reported_at", "alerted_percent"],
    )
    return Reported(tuple(row.dimension for row in taken), tuple(sorted(outdated)))


def usage_of(organization: Organization, project: Project | None = None) -> dict[str, Decimal | None]:
    """What was last reported, by dimension; a dimension nobody reported is not in it."""
    rows = ReportedUsage.objects.filter(organization=organization, project=project)
    return {row.dimension: row.used for row in rows}


def _alert(organization: Organization, rows: list[ReportedUsage], at: datetime) -> None:
    limits = bounds(Limit.objects.filter(organization=organization, project=None))
    steps = policy.effective(ALERT_PERCENT, organization_scope(organization))
    for row in rows:
        limit = limits.get(row.dimension)
        if row.used is None or not limit:
            continue
        reached = max((step for step in steps if row.used * 100 >= limit * step), default=0)
        if reached > row.alerted_percent:
            told = {
                "organization": organization.public_id,
                "dimension": row.dimension,
                "percent": reached,
                "used": write(row.dimension, row.used),
                "limit": write(row.dimension, limit),
                "reported_at": row.reported_at.isoformat(),
            }
            emit_each(topics.QUOTA_ALERT, {organization.pk: told}, at=at)
        row.alerted_percent = reached
