"""Approvals: acts that wait for a second person, and the decision. For staff."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import approvals
from accounts.abilities import READ_BILLING
from accounts.api.approval_answers import ApprovalOut
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import Body, Text
from accounts.api.naming import named
from accounts.api.operations import act, listing, reading
from accounts.api.organizations import organization_named
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.models import ApprovalRequest, ApprovalState


class ApprovalQuery(PageQuery):
    state = serializers.ChoiceField(choices=ApprovalState.choices, required=False)
    act = serializers.CharField(required=False, max_length=80)
    organization = serializers.CharField(required=False, help_text="Public id, or `ext:` and your own.")
    billing_account = serializers.CharField(required=False, help_text="Public id, or `ext:` and your own.")


class Decide(Body):
    decision = serializers.ChoiceField(choices=["approve", "reject"])
    note = Text(max_length=2000, required=False, allow_blank=True)


class Approvals(Resource):
    @listing("List approvals", needs=READ_BILLING, staff="view", answers=ApprovalOut, query=ApprovalQuery)
    def get(
        self, organization: str | None = None, billing_account: str | None = None, **filters: str
    ) -> QuerySet[ApprovalRequest]:
        rows = ApprovalRequest.objects.filter(**filters)
        if organization:
            rows = rows.filter(organization=organization_named(self.caller, organization))
        if billing_account:
            rows = rows.filter(billing_account=account_named(accounts_of(self.caller), billing_account))
        return rows


class OneApproval(Resource):
    @reading("Get an approval", needs=READ_BILLING, staff="view", answers=ApprovalOut)
    def get(self, approval: str) -> ApprovalRequest:
        return named(ApprovalRequest.objects.all(), approval, what="approval")


class DecideApproval(Resource):
    @act("Decide an approval", needs=READ_BILLING, staff="approve", takes=Decide, answers=ApprovalOut, money=True)
    def post(self, given: dict[str, Any], *, at: datetime, approval: str) -> ApprovalRequest:
        """Approving performs the act, in the same transaction. Whoever asked cannot decide."""
        found = named(ApprovalRequest.objects.all(), approval, what="approval")
        return approvals.decide(
            found.pk,
            checker=self.caller.person(),
            approve=given["decision"] == "approve",
            note=given.get("note", ""),
            at=at,
        )
