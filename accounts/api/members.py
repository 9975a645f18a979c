"""Members of an organization: who belongs to it, in which role. Staff read people masked, and ask to see one."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import serializers

from accounts import clock, personal_data, shown_people
from accounts.abilities import READ_MEMBERS
from accounts.api.fields import Moment
from accounts.api.naming import named
from accounts.api.operations import listing, reading
from accounts.api.organizations import organization_named
from accounts.api.reading_in_full import ShowQuery, reads_in_full
from accounts.api.resources import Resource
from accounts.callers import Caller
from accounts.models import Membership, OrganizationRole, User


class MemberOut(serializers.Serializer[Any]):
    user = serializers.CharField(source="user.public_id")
    name = serializers.SerializerMethodField()
    email = serializers.SerializerMethodField()
    role = serializers.ChoiceField(choices=OrganizationRole.choices)
    created_at = Moment()

    def get_name(self, member: Membership) -> str:
        return member.user.display_name if self._in_full(member) else personal_data.masked_name(member.user)

    def get_email(self, member: Membership) -> str:
        return member.user.email if self._in_full(member) else personal_data.masked_email(member.user)

    def _in_full(self, member: Membership) -> bool:
        return reads_in_full(self.context, member.organization_id, member.user)


class Members(Resource):
    @listing("List the members of an organization", needs=READ_MEMBERS, answers=MemberOut)
    def get(self, organization: str) -> QuerySet[Membership]:
        return _members(self.caller, organization)


class OneMember(Resource):
    @reading("Get a member of an organization", needs=READ_MEMBERS, answers=MemberOut, query=ShowQuery)
    def get(self, organization: str, user: str, show: str = "") -> Membership:
        members = _members(self.caller, organization)
        person = named(User.objects.filter(memberships__in=members), user, what="member")
        if show and self.caller.staff:
            self.caller.require_staff("identify")
            with transaction.atomic():
                personal_data.show(person.pk, by=self.caller.person(), page=self.request.path, at=clock.now())
            shown_people.mark(self.request._request, shown_people.named(person))
        return members.get(user=person)


def _members(caller: Caller, organization: str) -> QuerySet[Membership]:
    found = organization_named(caller, organization)
    caller.require(READ_MEMBERS, found.pk, what="organization")
    return Membership.objects.filter(organization=found, withdrawn_at=None).select_related("user")
