"""A project's own quota, and what it comes to: the smaller of that and of what the others leave."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.abilities import READ_PROJECTS, WRITE_PROJECTS
from accounts.api.fields import Body, Text
from accounts.api.naming import named
from accounts.api.operations import act, reading
from accounts.api.projects import projects_of
from accounts.api.resources import Resource
from accounts.errors import DomainError
from accounts.locking import lock_organization
from accounts.models import Project
from quotas.api.fields import quantities
from quotas.api.reach import projects_to_use
from quotas.dimensions import bounds, write
from quotas.models import Limit, LimitKind
from quotas.project_quotas import effective_quota, remove_project_quota, set_project_quota
from quotas.usage_report import usage_of


class ProjectQuotaOut(serializers.Serializer[Any]):
    """Quantities by dimension, as the cluster writes them."""

    project = serializers.CharField()
    quota = serializers.DictField(child=serializers.CharField(), allow_null=True, help_text="Its own; null for none.")
    organization_limits = serializers.DictField(child=serializers.CharField())
    effective = serializers.DictField(
        child=serializers.CharField(), help_text="The smaller of its own and of what the other projects leave."
    )
    used = serializers.DictField(child=serializers.CharField(allow_null=True), help_text="Null is unknown, not zero.")


class SetQuota(Body):
    quota = quantities(help_text="Dimensions that are not named are the organization's.")
    reason = Text(required=False)


class RemoveQuota(Body):
    reason = Text(required=False)


class ProjectQuota(Resource):
    @reading("Get a project's quota", needs=READ_PROJECTS, answers=ProjectQuotaOut)
    def get(self, project: str) -> dict[str, Any]:
        return _told(named(projects_of(self.caller), project, what="project"))

    @act("Set a project's own quota", needs=WRITE_PROJECTS, takes=SetQuota, answers=ProjectQuotaOut, versioned=True)
    def put(self, given: dict[str, Any], *, at: datetime, project: str) -> dict[str, Any]:
        """Tighter than the organization's limits, never wider: what holds is the smaller of the two."""
        found, wanted = self._to_write(project), given.pop("quota")
        with inside("quota", wanted):
            set_project_quota(found, wanted, **given, actor=self.caller.actor, at=at)
        return _told(found)

    @act("Remove a project's own quota", needs=WRITE_PROJECTS, takes=RemoveQuota, answers=None, status=204)
    def delete(self, given: dict[str, Any], *, at: datetime, project: str) -> None:
        """The organization's limits alone hold then."""
        remove_project_quota(self._to_write(project), **given, actor=self.caller.actor, at=at)

    def lock(self, **url: str) -> None:
        lock_organization(self._to_write(url["project"]).organization_id)

    def represent(self, **url: str) -> Any:
        return ProjectQuotaOut(_told(self._to_write(url["project"]))).data

    def _to_write(self, text: str) -> Project:
        found = named(projects_to_use(self.caller), text, what="project")
        self.caller.require(WRITE_PROJECTS, found.organization_id, found.pk, what="project")
        return found


@contextmanager
def inside(field: str, names: Mapping[str, object]) -> Iterator[None]:
    """A fault of one of these names is told where it stands in the body."""
    try:
        yield
    except DomainError as error:
        if error.field == "dimension":
            error.field = field
        elif error.field in names:
            error.field = f"{field}/{error.field}"
        raise


def _told(project: Project) -> dict[str, Any]:
    own = Limit.objects.filter(project=project, kind=LimitKind.PROJECT_QUOTA).first()
    whole = bounds(Limit.objects.filter(organization=project.organization_id, project=None))
    return {
        "project": project.public_id,
        "quota": own.values if own else None,
        "organization_limits": _written(whole),
        "effective": _written(effective_quota(project)),
        "used": _written(usage_of(project.organization, project)),
    }


def _written(amounts: Mapping[str, Decimal | None]) -> dict[str, str | None]:
    return {name: None if amount is None else write(name, amount) for name, amount in amounts.items()}
