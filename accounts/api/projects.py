"""Projects: what allocations belong to."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import closing, lifecycle
from accounts.abilities import READ_PROJECTS, WRITE_PROJECTS
from accounts.api.fields import Moment, PublicIdOf, Text
from accounts.api.naming import named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.organizations import organization_named, organizations_of
from accounts.api.queries import PageQuery
from accounts.api.reasons import Reasoned, reason_of
from accounts.api.resources import Resource
from accounts.callers import Caller, visible
from accounts.models import Organization, Project
from accounts.public_ids import encode


class ProjectOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    external_id = serializers.CharField(allow_null=True)
    organization = serializers.SerializerMethodField()
    name = serializers.CharField()
    slug = serializers.CharField(help_text="Short name, unique in its organization.")
    created_at = Moment()
    closed_at = Moment(allow_null=True)

    def get_organization(self, project: Project) -> str:
        return encode(Organization.PUBLIC_PREFIX, project.organization_id)


class OpenProject(Reasoned):
    organization = PublicIdOf(Organization.PUBLIC_PREFIX, help_text="Public id.")
    name = Text(max_length=256)
    slug = Text(max_length=63)
    external_id = Text(max_length=255, required=False)


class ProjectQuery(PageQuery):
    organization = serializers.CharField(required=False, help_text="Public id, or `ext:` and your own.")


class Projects(Resource):
    @listing("List projects", needs=READ_PROJECTS, answers=ProjectOut, query=ProjectQuery)
    def get(self, organization: str | None = None) -> QuerySet[Project]:
        rows = projects_of(self.caller)
        return rows.filter(organization=organization_named(self.caller, organization)) if organization else rows

    @act("Open a project", needs=WRITE_PROJECTS, takes=OpenProject, answers=ProjectOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime) -> Project:
        organization = referred(organizations_of(self.caller), given.pop("organization"), field="organization")
        self.caller.require(WRITE_PROJECTS, organization.pk, what="organization")
        reason = reason_of(given, self.caller)
        return lifecycle.open_project(organization, **given, actor=self.caller.actor, reason=reason, at=at)


class OneProject(Resource):
    @reading("Get a project", needs=READ_PROJECTS, answers=ProjectOut)
    def get(self, project: str) -> Project:
        return named(projects_of(self.caller), project, what="project")


class CloseProject(Resource):
    @act("Close a project for ever", needs=WRITE_PROJECTS, takes=Reasoned, answers=ProjectOut)
    def post(self, given: dict[str, Any], *, at: datetime, project: str) -> Project:
        """Nothing may run in it. Its account stops paying for it; its past stays to be read."""
        found = named(projects_of(self.caller), project, what="project")
        self.caller.require(WRITE_PROJECTS, found.organization_id, found.pk, what="project")
        reason = reason_of(given, self.caller, unsaid="closed by its organization") or ""
        return closing.close_project(found.pk, actor=self.caller.actor, reason=reason, at=at)


def projects_of(caller: Caller) -> QuerySet[Project]:
    return visible(Project.objects.all(), caller, READ_PROJECTS, project="pk")
