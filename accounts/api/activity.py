"""What people did in an organization or with a billing account, in words; what systems did is left out."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_EVENTS
from accounts.activity import KINDS
from accounts.activity_feed import Line, lines_of, rows_of_account, rows_of_organization
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import Moment
from accounts.api.operations import listing
from accounts.api.organizations import organization_named
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.callers import Caller
from accounts.models import AuditLog
from accounts.personal_data import masked_name


class ActivityOut(serializers.Serializer[Any]):
    at = Moment()
    kind = serializers.ChoiceField(choices=list(KINDS))
    user = serializers.SerializerMethodField(help_text="Public id. Null for our staff, but to staff.")
    who = serializers.SerializerMethodField()
    did = serializers.CharField(source="plain", help_text="What, as the rest of a sentence.")
    reason = serializers.SerializerMethodField(help_text="Null for what our staff noted, but to staff.")

    def get_user(self, line: Line) -> str | None:
        return None if self._hidden(line) else line.actor.public_id

    def get_who(self, line: Line) -> str:
        if self._hidden(line):
            return "Our staff"
        return masked_name(line.actor) if self._caller.staff else line.actor.get_full_name()

    def get_reason(self, line: Line) -> str | None:
        return None if self._hidden(line) else line.reason

    def _hidden(self, line: Line) -> bool:
        return line.actor.is_staff and not self._caller.staff

    @property
    def _caller(self) -> Caller:
        caller: Caller = self.context["caller"]
        return caller


class ActivityQuery(PageQuery):
    kind = serializers.ChoiceField(choices=list(KINDS), required=False)


class OrganizationActivity(Resource):
    @listing(
        "List what people did in an organization",
        needs=READ_EVENTS,
        answers=ActivityOut,
        query=ActivityQuery,
        prepare=lines_of,
    )
    def get(self, organization: str, kind: str = "") -> QuerySet[AuditLog]:
        found = organization_named(self.caller, organization)
        self.caller.require(READ_EVENTS, found.pk, what="organization")
        return rows_of_organization(found.pk, kind=kind, for_staff=bool(self.caller.staff))


class BillingAccountActivity(Resource):
    @listing(
        "List what people did with a billing account",
        needs=READ_EVENTS,
        answers=ActivityOut,
        query=ActivityQuery,
        prepare=lines_of,
    )
    def get(self, billing_account: str, kind: str = "") -> QuerySet[AuditLog]:
        found = account_named(accounts_of(self.caller), billing_account)
        self.caller.require(READ_EVENTS, found.organization_id, what="billing account")
        return rows_of_account(found.pk, kind=kind, for_staff=bool(self.caller.staff))
