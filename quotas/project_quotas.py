"""A project's own quota: tighter than the organization's, never wider. What holds is the smaller of the two."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.audit import Actor, optional_reason, record
from accounts.clock import check_moment
from accounts.errors import Conflict
from accounts.locking import lock_open_organization, lock_organization
from accounts.models import Project
from accounts.outbox import emit_each
from quotas import topics
from quotas.dimensions import OF_A_PROJECT, DimensionUnknown, bounds, read, write
from quotas.limit_rows import AUTO_MANAGED
from quotas.models import Limit, LimitKind, ReportedUsage

NAME = "project-quota"


@transaction.atomic
def set_project_quota(
    project: Project, values: Mapping[str, object], *, actor: Actor, reason: str | None = None, at: datetime
) -> Limit:
    """Let a project use at most these quantities, by dimension; dimensions that are not named are the organization's.

    Raises DimensionUnknown, QuantityInvalid, TimeInvalid, ReasonRequired.
    """
    at, reason, amounts = check_moment(at), optional_reason(reason), read(values)
    if unknown := [name for name in amounts if name not in OF_A_PROJECT]:
        raise DimensionUnknown(f"a project has no quota of its own of {', '.join(unknown)}")
    if not amounts:
        raise DimensionUnknown("name at least one dimension")
    lock_open_organization(project.organization_id)
    limit = _own(project) or Limit(
        organization_id=project.organization_id, project=project, kind=LimitKind.PROJECT_QUOTA, name=NAME
    )
    before = limit.values if limit.pk else None
    limit.values = {name: write(name, amounts[name]) for name in OF_A_PROJECT if name in amounts}
    limit.labels, limit.computed_at = {AUTO_MANAGED: "true"}, at
    limit.save()
    _tell(project, "project_quota.set", before, limit.values, actor=actor, reason=reason, at=at)
    return limit


@transaction.atomic
def remove_project_quota(project: Project, *, actor: Actor, reason: str | None = None, at: datetime) -> None:
    """Let the organization's limits alone hold. Raises Conflict (`not_set`), ReasonRequired."""
    at, reason = check_moment(at), optional_reason(reason)
    lock_organization(project.organization_id)
    limit = _own(project)
    if limit is None:
        raise Conflict("the project has no quota of its own", field="project", code="not_set")
    before = limit.values
    limit.delete()
    _tell(project, "project_quota.remove", before, None, actor=actor, reason=reason, at=at)


def effective_quota(project: Project) -> dict[str, Decimal]:
    """What the project may use: the smaller of its own quota and of what the other projects leave of the
    organization's. Where the usage of another project is unknown, the organization's whole limit counts.
    """
    return effective_quotas(project.organization_id, [project.pk])[project.pk]


def effective_quotas(organization_id: int, project_ids: Collection[int]) -> dict[int, dict[str, Decimal]]:
    """What each of these projects may use, as effective_quota says. Two queries, however many they are."""
    rows = list(Limit.objects.filter(organization=organization_id))
    whole = bounds(row for row in rows if row.project_id is None)
    own = {row.project_id: read(row.values) for row in rows if row.kind == LimitKind.PROJECT_QUOTA}
    used: defaultdict[int | None, dict[str, Decimal]] = defaultdict(dict)
    together: defaultdict[str, Decimal] = defaultdict(Decimal)
    reported = ReportedUsage.objects.filter(organization=organization_id, project__isnull=False, used__isnull=False)
    for project_id, name, amount in reported.values_list("project_id", "dimension", "used"):
        assert amount is not None  # noqa: S101 - the query asks for no other
        used[project_id][name] = amount
        together[name] += amount
    found = {}
    for key in project_ids:
        others = {name: together[name] - used[key].get(name, 0) for name in OF_A_PROJECT}
        left = {name: max(Decimal(0), whole[name] - others[name]) for name in OF_A_PROJECT if name in whole}
        caps = own.get(key, {})
        found[key] = {**left, **caps, **{name: min(left[name], caps[name]) for name in left if name in caps}}
    return found


def _own(project: Project) -> Limit | None:
    return Limit.objects.filter(project=project, kind=LimitKind.PROJECT_QUOTA).first()


def _tell(project: Project, action: str, before: Any, after: Any, *, actor: Actor, reason: str, at: datetime) -> None:
    record(
        actor,
        action,
        subject=("project", project.pk),
        organization_id=project.organization_id,
        at=at,
        reason=reason,
        before=before,
        after=after,
    )
    told = {"organization": project.organization.public_id, "project": project.public_id, "quota": after}
    emit_each(topics.QUOTA_CHANGED, {project.organization_id: told}, at=at)
