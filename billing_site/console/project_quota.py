"""`/api/manage-organization/projects/:id/quota`: a project's own quota, never wider than the organization's."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import clock
from accounts.abilities import READ_PROJECTS, WRITE_PROJECTS
from accounts.models import Project
from billing_site.console import quantities, whose
from billing_site.console.described import call
from billing_site.console.envelope import Denied, success
from billing_site.console.projects import ConsoleOwnQuotaOut, own_quota
from billing_site.console.resources import ConsoleResource
from billing_site.console.subscription import SHOWN, ConsoleUsageOut
from quotas.models import Limit, LimitKind
from quotas.project_quotas import effective_quota, remove_project_quota, set_project_quota
from quotas.usage_report import usage_of


@extend_schema_field({"type": ["number", "string"], "examples": [2.5]})
class Amount(serializers.Field[Any, Any, Any, Any]):
    """A number in the console's units, or text as the cluster writes quantities. The act says whether it is one."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class ConsoleWantedQuota(serializers.Serializer[Any]):
    cpu = Amount(required=False)
    memory = Amount(required=False)
    storage = Amount(required=False)
    pods = Amount(required=False)


class ConsoleProjectQuotaOut(serializers.Serializer[Any]):
    namespace = serializers.CharField()
    quota = ConsoleOwnQuotaOut(allow_null=True, help_text="The project's own.")
    effective = ConsoleOwnQuotaOut(help_text="The smaller of its own and what the others leave.")
    usage = ConsoleUsageOut()


class ProjectQuota(ConsoleResource):
    @call("A project's own quota, and what holds", ConsoleProjectQuotaOut, needs=READ_PROJECTS)
    def get(self, request: Request, project: str) -> Response:
        """For whoever may open the project."""
        return self._shown(whose.project(self.caller, project, self.named()))

    @call("Set a project's own quota", ConsoleProjectQuotaOut, needs=WRITE_PROJECTS, takes=ConsoleWantedQuota)
    def put(self, request: Request, project: str) -> Response:
        """For organization admins. Numbers are cores, Gi and pods; text is a quantity as the cluster writes it. What
        is left out is the organization's alone."""
        row = self._to_change(project)
        body = ConsoleWantedQuota(data=request.data)
        body.is_valid(raise_exception=True)
        values = {word: quantities.read(word, value) for word, value in body.validated_data.items()}
        set_project_quota(row, values, actor=self.caller.actor, at=clock.now())
        return self._shown(row)

    @call("Remove a project's own quota", ConsoleProjectQuotaOut, needs=WRITE_PROJECTS)
    def delete(self, request: Request, project: str) -> Response:
        """For organization admins. The organization's limits alone hold then."""
        row = self._to_change(project)
        remove_project_quota(row, actor=self.caller.actor, at=clock.now())
        return self._shown(row)

    def _to_change(self, project: str) -> Project:
        row = whose.project(self.caller, project, self.named(), READ_PROJECTS)
        if not self.caller.may(WRITE_PROJECTS, row.organization_id, row.pk):
            raise Denied("Organization admin access required", code="role_insufficient")
        return row

    def _shown(self, row: Project) -> Response:
        own = Limit.objects.filter(project=row, kind=LimitKind.PROJECT_QUOTA).first()
        holds = effective_quota(row)
        shown = {
            "namespace": whose.full_name(row),
            "quota": own_quota(own),
            "effective": {quantities.WORDS[name]: quantities.shown(name, holds.get(name)) for name in SHOWN},
            "usage": quantities.usage(usage_of(row.organization, row), holds, *SHOWN),
        }
        return success(ConsoleProjectQuotaOut(shown).data)
