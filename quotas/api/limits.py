"""Limits: what organizations and projects may use at most, as rows."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_PROJECTS
from accounts.api.fields import Moment
from accounts.api.naming import named
from accounts.api.operations import listing
from accounts.api.organizations import organizations_of
from accounts.api.projects import projects_of
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.callers import Caller, visible
from accounts.models import Organization, Project
from quotas.api.fields import Ref
from quotas.models import Limit, LimitKind


class LimitOut(serializers.Serializer[Any]):
    organization = Ref(Organization.PUBLIC_PREFIX, source="organization_id")
    project = Ref(Project.PUBLIC_PREFIX, source="project_id", allow_null=True)
    kind = serializers.ChoiceField(LimitKind.choices)
    name = serializers.CharField()
    values = serializers.JSONField(help_text="As the cluster writes it.")
    labels = serializers.DictField(child=serializers.CharField())
    plan = serializers.CharField(source="plan_code", allow_blank=True, help_text="The plan it follows from.")
    auto_managed = serializers.BooleanField(help_text="Whether it is ours to change.")
    computed_at = Moment()


class OfOrganization(PageQuery):
    organization = serializers.CharField(required=False)
    project = serializers.CharField(required=False)


class LimitQuery(OfOrganization):
    kind = serializers.ChoiceField(LimitKind.choices, required=False)


class Limits(Resource):
    @listing("List limits", needs=READ_PROJECTS, answers=LimitOut, query=LimitQuery)
    def get(self, kind: str | None = None, **filters: str) -> QuerySet[Limit]:
        rows = visible(Limit.objects.all(), self.caller, READ_PROJECTS, project="project_id")
        rows = rows.filter(**whose(self.caller, filters))
        return rows.filter(kind=kind) if kind else rows


def whose(caller: Caller, filters: dict[str, str]) -> dict[str, Any]:
    """The organization and the project that a list is asked for. Raises NotFound."""
    found: dict[str, Any] = {}
    if "organization" in filters:
        found["organization"] = named(organizations_of(caller), filters["organization"], what="organization")
    if "project" in filters:
        found["project"] = named(projects_of(caller), filters["project"], what="project")
    return found
