"""What the platform says is in use, dimension by dimension."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_PROJECTS, REPORT_USAGE
from accounts.api.fields import Body, Moment, PublicIdOf
from accounts.api.naming import referred
from accounts.api.operations import act, listing
from accounts.api.organizations import organizations_of
from accounts.api.resources import Resource
from accounts.callers import visible
from accounts.models import Organization, Project
from quotas.api.fields import Ref, quantities
from quotas.api.limits import OfOrganization, whose
from quotas.api.project_quotas import inside
from quotas.api.reach import projects_to_use
from quotas.dimensions import DIMENSIONS, write
from quotas.models import ReportedUsage
from quotas.usage_report import Reported, report


class ReadingOut(serializers.Serializer[Any]):
    organization = Ref(Organization.PUBLIC_PREFIX, source="organization_id")
    project = Ref(Project.PUBLIC_PREFIX, source="project_id", allow_null=True, help_text="Null: the whole of it.")
    dimension = serializers.CharField()
    used = serializers.SerializerMethodField(help_text="As the cluster writes it; null where it is unknown.")
    reported_at = Moment()

    def get_used(self, row: ReportedUsage) -> str | None:
        return None if row.used is None else write(row.dimension, row.used)


class ReadingQuery(OfOrganization):
    dimension = serializers.ChoiceField([(name, name) for name in DIMENSIONS], required=False)


class UsageReport(Body):
    organization = PublicIdOf(Organization.PUBLIC_PREFIX, help_text="Public id.")
    project = PublicIdOf(Project.PUBLIC_PREFIX, required=False, help_text="Without it, the whole organization.")
    readings = quantities(unknown=True, help_text="Quantities by dimension; null for what could not be counted.")
    reported_at = Moment(help_text="When it was counted. An older report is not taken.")


class ReportedOut(serializers.Serializer[Any]):
    taken = serializers.ListField(child=serializers.CharField())
    outdated = serializers.ListField(child=serializers.CharField(), help_text="Older than what is known already.")


class UsageReports(Resource):
    @listing("List what is in use", needs=READ_PROJECTS, answers=ReadingOut, query=ReadingQuery)
    def get(self, dimension: str | None = None, **filters: str) -> QuerySet[ReportedUsage]:
        """As it was last reported."""
        rows = visible(ReportedUsage.objects.all(), self.caller, READ_PROJECTS, project="project_id")
        rows = rows.filter(**whose(self.caller, filters))
        return rows.filter(dimension=dimension) if dimension else rows

    @act("Report what is in use", needs=REPORT_USAGE, takes=UsageReport, answers=ReportedOut)
    def post(self, given: dict[str, Any], *, at: datetime) -> Reported:
        organization = referred(organizations_of(self.caller), given["organization"], field="organization")
        self.caller.require(REPORT_USAGE, organization.pk, what="organization")
        project = None
        if "project" in given:
            own = projects_to_use(self.caller).filter(organization=organization)
            project = referred(own, given["project"], field="project")
        with inside("readings", given["readings"]):
            return report(organization, given["readings"], project=project, reported_at=given["reported_at"], at=at)
