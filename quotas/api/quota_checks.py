"""Does it fit? Asked before something is started, or before a plan is changed. Nothing is written."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from accounts.abilities import READ_PROJECTS
from accounts.api.fields import Body, PublicIdOf, Text, Whole
from accounts.api.naming import referred
from accounts.api.operations import asking
from accounts.api.organizations import organizations_of
from accounts.api.resources import Resource
from accounts.errors import DomainError
from accounts.models import Organization, Project
from quotas.admission import Answer, fits_plan, may_use
from quotas.api.fields import quantities
from quotas.api.project_quotas import inside
from quotas.api.reach import projects_to_use


class ExcessOut(serializers.Serializer[Any]):
    dimension = serializers.CharField()
    limit = serializers.CharField()
    used = serializers.CharField(allow_null=True)
    requested = serializers.CharField()


class CheckOut(serializers.Serializer[Any]):
    fits = serializers.BooleanField(allow_null=True, help_text="Null where it depends on usage that nobody reported.")
    exceeded = ExcessOut(many=True)
    unknown = serializers.ListField(child=serializers.CharField(), help_text="Dimensions whose usage is unknown.")
    held_back = serializers.CharField(allow_blank=True, help_text="Why nothing new is let in.")


class QuotaCheck(Body):
    """Either `wanted`, on top of what is in use, or `plan` (with `addons`): would what is in use fit it?"""

    organization = PublicIdOf(Organization.PUBLIC_PREFIX, help_text="Public id.")
    project = PublicIdOf(Project.PUBLIC_PREFIX, required=False, help_text="With `wanted`: one project of it.")
    wanted = quantities(required=False, help_text="Quantities by dimension, such as requests.cpu or cpu.")
    plan = Text(max_length=63, required=False, help_text="Its code.")
    addons = serializers.DictField(child=Whole(), required=False, help_text="How many of each, by code.")


class QuotaChecks(Resource):
    @asking("Check whether it fits", needs=READ_PROJECTS, takes=QuotaCheck, answers=CheckOut)
    def post(self, given: dict[str, Any], *, at: datetime) -> Answer:
        organization = referred(organizations_of(self.caller), given["organization"], field="organization")
        project = None
        if "project" in given:
            own = projects_to_use(self.caller).filter(organization=organization)
            project = referred(own, given["project"], field="project")
        self.caller.require(READ_PROJECTS, organization.pk, project.pk if project else None, what="organization")
        if ("wanted" in given) == ("plan" in given) or (project and "plan" in given):
            said = "ask about quantities (wanted), or about a plan for the whole organization"
            raise DomainError(said, field="wanted", code="question_unclear")
        if "plan" in given:
            return fits_plan(organization, given["plan"], given.get("addons", {}))
        with inside("wanted", given["wanted"]):
            return may_use(organization, given["wanted"], project=project)
