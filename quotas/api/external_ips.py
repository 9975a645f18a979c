"""Addresses that organizations hold. Public ones count against the limit of their plan."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_PROJECTS, USE_PROJECTS
from accounts.api.fields import Body, Moment, PublicIdOf, Text
from accounts.api.naming import named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.organizations import organizations_of
from accounts.api.queries import YesNo
from accounts.api.resources import Resource
from accounts.callers import Caller, visible
from accounts.models import Organization, Project
from quotas.api.fields import Ref
from quotas.api.limits import OfOrganization, whose
from quotas.api.reach import projects_to_use, reachable
from quotas.external_ips import hold_address, release_address
from quotas.models import ExternalIp, NetworkType


class ExternalIpOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    organization = Ref(Organization.PUBLIC_PREFIX, source="organization_id")
    project = Ref(Project.PUBLIC_PREFIX, source="project_id", allow_null=True)
    name = serializers.CharField()
    network_type = serializers.ChoiceField(NetworkType.choices)
    created_at = Moment()
    released_at = Moment(allow_null=True)


class ExternalIpQuery(OfOrganization):
    network_type = serializers.ChoiceField(NetworkType.choices, required=False)
    held = YesNo(required=False, help_text="`true` for those that are not given back.")


class HoldAddress(Body):
    organization = PublicIdOf(Organization.PUBLIC_PREFIX, help_text="Public id.")
    project = PublicIdOf(Project.PUBLIC_PREFIX, required=False, help_text="One of its projects.")
    name = Text(max_length=63, help_text="Once while it is held.")
    network_type = Text(max_length=16, help_text="public or cloud.")
    reason = Text(required=False)


class ReleaseAddress(Body):
    reason = Text(required=False)


class ExternalIps(Resource):
    @listing("List external addresses", needs=READ_PROJECTS, answers=ExternalIpOut, query=ExternalIpQuery)
    def get(self, network_type: str | None = None, held: bool | None = None, **filters: str) -> QuerySet[ExternalIp]:
        rows = external_ips_of(self.caller).filter(**whose(self.caller, filters))
        rows = rows.filter(network_type=network_type) if network_type else rows
        return rows if held is None else rows.filter(released_at__isnull=held)

    @act("Hold an external address", needs=USE_PROJECTS, takes=HoldAddress, answers=ExternalIpOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime) -> ExternalIp:
        """Refused with `eip_quota_exceeded` where the plan lets have no more public ones."""
        organization = referred(organizations_of(self.caller), given.pop("organization"), field="organization")
        project = None
        if "project" in given:
            own = projects_to_use(self.caller).filter(organization=organization)
            project = referred(own, given.pop("project"), field="project")
        self.caller.require(USE_PROJECTS, organization.pk, project.pk if project else None, what="organization")
        return hold_address(organization, **given, project=project, actor=self.caller.actor, at=at)


class OneExternalIp(Resource):
    @reading("Get an external address", needs=READ_PROJECTS, answers=ExternalIpOut)
    def get(self, external_ip: str) -> ExternalIp:
        return named(external_ips_of(self.caller), external_ip, what="external address")

    @act("Give an external address back", needs=USE_PROJECTS, takes=ReleaseAddress, answers=ExternalIpOut)
    def delete(self, given: dict[str, Any], *, at: datetime, external_ip: str) -> ExternalIp:
        """The row is kept, with when it was given back."""
        rows = reachable(ExternalIp.objects.select_related("organization"), self.caller, project="project_id")
        found = named(rows, external_ip, what="external address")
        self.caller.require(USE_PROJECTS, found.organization_id, found.project_id, what="external address")
        return release_address(found.pk, found.organization, **given, actor=self.caller.actor, at=at)


def external_ips_of(caller: Caller) -> QuerySet[ExternalIp]:
    return visible(ExternalIp.objects.all(), caller, READ_PROJECTS, project="project_id")
