"""Projects: what allocations belong to."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import lifecycle
from accounts.abilities import READ_PROJECTS, WRITE_PROJECTS
from accounts.api.fields import Body, Moment, PublicIdOf, Text
from accounts.api.naming import named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.queries import PageQuery
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


class OpenProject(Body):
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
        return rows.filter(organization=_organization(self.caller, organization)) if organization else rows

    @act("Open a project", needs=WRITE_PROJECTS, takes=OpenProject, answers=ProjectOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime) -> Project:
        organization = referred(organizations_of(self.caller), given.pop("organization"), field="organization")
        self.caller.require(WRITE_PROJECTS, organization.pk, what="organization")
        return lifecycle.open_project(organization, **given, actor=self.caller.actor, at=at)


class OneProject(Resource):
    @reading("Get a project", needs=READ_PROJECTS, answers=ProjectOut)
    def get(self, project: str) -> Project:
        return named(projects_of(self.caller), project, what="project")


def projects_of(caller: Caller) -> QuerySet[Project]:
    return visible(Project.objects.all(), caller, READ_PROJECTS, project="pk")


def organizations_of(caller: Caller) -> QuerySet[Organization]:
    """Those that the caller is told of."""
    rows = Organization.objects.all()
    return rows if caller.everywhere else rows.filter(pk__in=caller.seats)


def _organization(caller: Caller, text: str) -> Organization:
    return named(organizations_of(caller), text, what="organization")
