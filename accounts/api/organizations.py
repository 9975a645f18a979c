"""Organizations: whoever owns projects and pays through billing accounts."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import account_quota, closing, lifecycle, owners
from accounts.abilities import READ_BILLING, READ_PROJECTS, WRITE_BILLING
from accounts.account_quota import AccountQuota
from accounts.api.fields import Flag, Moment, Text
from accounts.api.naming import known_to, named
from accounts.api.operations import act, listing, reading
from accounts.api.reasons import Reasoned, WithReason, reason_of
from accounts.api.resources import Resource
from accounts.callers import Caller
from accounts.models import Organization, User
from accounts.public_ids import encode


class OrganizationOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    slug = serializers.CharField(help_text="Short name, unique.")
    personal = serializers.BooleanField(help_text="The organization of one person.")
    owner = serializers.SerializerMethodField()
    language = serializers.CharField(help_text="In which its mail is written.")
    created_at = Moment()
    closed_at = Moment(allow_null=True)

    def get_owner(self, organization: Organization) -> str:
        return encode(User.PUBLIC_PREFIX, organization.owner_id)


class OpenOrganization(Reasoned):
    name = Text(max_length=256)
    slug = Text(max_length=63)
    owner = Text(max_length=254, help_text="E-mail address of its owner; a person we do not know yet is added.")
    personal = Flag(required=False)
    external_id = Text(max_length=255, required=False)


class AccountQuotaOut(serializers.Serializer[Any]):
    used = serializers.IntegerField(help_text="Billing accounts that are open.")
    allowed = serializers.IntegerField(help_text="How many may be.")
    raised = serializers.BooleanField(help_text="Whether a granted feature has a part in that.")


class Organizations(Resource):
    @listing("List organizations", needs=READ_PROJECTS, answers=OrganizationOut)
    def get(self) -> QuerySet[Organization]:
        return organizations_of(self.caller)

    @act(
        "Open an organization",
        needs=WRITE_BILLING,
        takes=OpenOrganization,
        answers=OrganizationOut,
        status=201,
    )
    def post(self, given: dict[str, Any], *, at: datetime) -> Organization:
        """For staff and for keys of the platform."""
        self.caller.require_everywhere(WRITE_BILLING)
        reason = reason_of(given, self.caller)
        owner = owners.find_or_add(given.pop("owner"))
        return lifecycle.open_organization(**given, owner=owner, actor=self.caller.actor, reason=reason, at=at)


class OneOrganization(Resource):
    @reading("Get an organization", needs=READ_PROJECTS, answers=OrganizationOut)
    def get(self, organization: str) -> Organization:
        return organization_named(self.caller, organization)


class CloseOrganization(Resource):
    @act(
        "Close an organization for ever",
        needs=WRITE_BILLING,
        staff="operate",
        takes=WithReason,
        answers=OrganizationOut,
    )
    def post(self, given: dict[str, Any], *, at: datetime, organization: str) -> Organization:
        """For staff. Its projects are closed and its billing accounts archived, all or nothing: nothing may run, and
        every balance must be zero."""
        found = organization_named(self.caller, organization)
        return closing.close_organization(found.pk, actor=self.caller.actor, reason=given["reason"], at=at)


class BillingAccountQuota(Resource):
    @reading("Get how many billing accounts an organization may open", needs=READ_BILLING, answers=AccountQuotaOut)
    def get(self, organization: str) -> AccountQuota:
        found = organization_named(self.caller, organization)
        self.caller.require(READ_BILLING, found.pk, what="organization")
        return account_quota.quota_of(found)


def organizations_of(caller: Caller) -> QuerySet[Organization]:
    """Those that the caller is told of."""
    return known_to(caller, Organization.objects.all(), organization="pk")


def organization_named(caller: Caller, text: str) -> Organization:
    """Raises NotFound."""
    return named(organizations_of(caller), text, what="organization")
