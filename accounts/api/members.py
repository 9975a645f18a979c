"""Members of an organization: who belongs to it, in which role, at which projects.

Staff read people masked, and ask to see one.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import serializers

from accounts import caller_of, clock, memberships, owners, personal_data, shown_people
from accounts.abilities import OF_ROLES, READ_MEMBERS, WRITE_MEMBERS
from accounts.api.fields import Moment, PublicIdOf, Text
from accounts.api.naming import named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.organizations import organization_named
from accounts.api.reading_in_full import ShowQuery, reads_in_full
from accounts.api.reasons import Reasoned, reason_of
from accounts.api.resources import Resource
from accounts.callers import Caller
from accounts.models import Membership, Organization, OrganizationRole, Project, User
from accounts.public_ids import encode

_OF_ALL_PROJECTS = frozenset(OrganizationRole.values) - {OrganizationRole.PROJECT_USER, OrganizationRole.GUEST}


class MemberOut(serializers.Serializer[Any]):
    user = serializers.CharField(source="user.public_id")
    name = serializers.SerializerMethodField()
    email = serializers.SerializerMethodField()
    role = serializers.ChoiceField(choices=OrganizationRole.choices)
    projects = serializers.SerializerMethodField()
    created_at = Moment()

    def get_name(self, member: Membership) -> str:
        return member.user.display_name if self._in_full(member) else personal_data.masked_name(member.user)

    def get_email(self, member: Membership) -> str:
        return member.user.email if self._in_full(member) else personal_data.masked_email(member.user)

    def get_projects(self, member: Any) -> list[str] | None:
        """Null for all of them."""
        if member.role in _OF_ALL_PROJECTS:
            return None
        return [encode(Project.PUBLIC_PREFIX, key) for key in sorted(member.project_ids)]

    def _in_full(self, member: Membership) -> bool:
        return reads_in_full(self.context, member.organization_id, member.user)


class AddMember(Reasoned):
    email = Text(max_length=254, help_text="A person we do not know yet is added.")
    role = Text(max_length=32)


class ChangeMember(Reasoned):
    role = Text(max_length=32)


class LetIn(Reasoned):
    project = PublicIdOf(Project.PUBLIC_PREFIX, help_text="Public id.")


class Members(Resource):
    @listing("List the members of an organization", needs=READ_MEMBERS, answers=MemberOut)
    def get(self, organization: str) -> QuerySet[Membership]:
        return _members(_organization(self.caller, organization, READ_MEMBERS))

    @act("Add a member", needs=WRITE_MEMBERS, takes=AddMember, answers=MemberOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime, organization: str) -> Membership:
        """Nobody gives a role that may do more than they may themselves."""
        found = _organization(self.caller, organization, WRITE_MEMBERS)
        _require_role(self.caller, found, given["role"])
        reason = reason_of(given, self.caller)
        person = owners.find_or_add(given["email"], field="email")
        memberships.add(found.pk, person, given["role"], actor=self.caller.actor, reason=reason, at=at)
        return _members(found).get(user=person)


class OneMember(Resource):
    @reading("Get a member of an organization", needs=READ_MEMBERS, answers=MemberOut, query=ShowQuery)
    def get(self, organization: str, user: str, show: str = "") -> Membership:
        member = _member(_organization(self.caller, organization, READ_MEMBERS), user)
        if show and self.caller.staff:
            self.caller.require_staff("identify")
            with transaction.atomic():
                by, page = self.caller.person(), self.request.path
                personal_data.show(member.user_id, by=by, page=page, at=clock.now())
            shown_people.mark(self.request._request, shown_people.named(member.user))
        return member

    @act("Give a member another role", needs=WRITE_MEMBERS, takes=ChangeMember, answers=MemberOut)
    def patch(self, given: dict[str, Any], *, at: datetime, organization: str, user: str) -> Membership:
        """Nobody gives a role that may do more than they may themselves. One org-admin stays."""
        found = _organization(self.caller, organization, WRITE_MEMBERS)
        member = _member(found, user)
        _require_role(self.caller, found, given["role"])
        reason = reason_of(given, self.caller)
        memberships.change_role(member.pk, given["role"], actor=self.caller.actor, reason=reason, at=at)
        return _members(found).get(pk=member.pk)

    @act("Withdraw a membership", needs=WRITE_MEMBERS, takes=Reasoned, answers=None, status=204)
    def delete(self, given: dict[str, Any], *, at: datetime, organization: str, user: str) -> None:
        """In force at the next request, whatever a token claims. One org-admin stays."""
        member = _member(_organization(self.caller, organization, WRITE_MEMBERS), user)
        reason = reason_of(given, self.caller)
        memberships.withdraw(member.pk, actor=self.caller.actor, reason=reason, at=at)


class ProjectsOfMember(Resource):
    @act("Let a member into a project", needs=WRITE_MEMBERS, takes=LetIn, answers=MemberOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime, organization: str, user: str) -> Membership:
        found = _organization(self.caller, organization, WRITE_MEMBERS)
        member, reason = _member(found, user), reason_of(given, self.caller)
        project = referred(found.projects.all(), given["project"], field="project")
        memberships.let_in(member.pk, project.pk, actor=self.caller.actor, reason=reason, at=at)
        return _members(found).get(pk=member.pk)


class ProjectOfMember(Resource):
    @act("Take a project from a member", needs=WRITE_MEMBERS, takes=Reasoned, answers=MemberOut)
    def delete(self, given: dict[str, Any], *, at: datetime, organization: str, user: str, project: str) -> Membership:
        found = _organization(self.caller, organization, WRITE_MEMBERS)
        member, reason = _member(found, user), reason_of(given, self.caller)
        taken = named(found.projects.all(), project, what="project")
        memberships.let_out(member.pk, taken.pk, actor=self.caller.actor, reason=reason, at=at)
        return _members(found).get(pk=member.pk)


def _organization(caller: Caller, text: str, ability: str) -> Organization:
    found = organization_named(caller, text)
    caller.require(ability, found.pk, what="organization")
    return found


def _members(organization: Organization) -> QuerySet[Membership]:
    in_force = Membership.objects.filter(organization=organization, withdrawn_at=None)
    return caller_of.with_projects(in_force.select_related("user"))


def _member(organization: Organization, user: str) -> Membership:
    """Raises NotFound."""
    members = Membership.objects.filter(organization=organization, withdrawn_at=None)
    person = named(User.objects.filter(pk__in=members.values("user")), user, what="member")
    return _members(organization).get(user=person)


def _require_role(caller: Caller, organization: Organization, role: str) -> None:
    """Raises RoleUnknown, Forbidden."""
    for ability in sorted(OF_ROLES[memberships.known_role(role)]):
        caller.require(ability, organization.pk, what="organization")
