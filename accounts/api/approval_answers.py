"""Answers of acts that may wait for a second person."""

from typing import Any

from rest_framework import serializers

from accounts.api.fields import Moment
from accounts.api.operations import Answer
from accounts.approvals import Outcome
from accounts.models import ApprovalRequest, BillingAccount, Organization, User
from accounts.public_ids import encode


class ApprovalOut(serializers.Serializer[Any]):
    """An act that waits for, or had, the decision of a second person."""

    id = serializers.CharField(source="public_id")
    act = serializers.CharField()
    summary = serializers.CharField()
    state = serializers.CharField()
    organization = serializers.SerializerMethodField()
    billing_account = serializers.SerializerMethodField()
    amount_minor = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    maker = serializers.SerializerMethodField(help_text="Who asked.")
    checker = serializers.SerializerMethodField(help_text="Who decided.")
    requested_at = Moment()
    expires_at = Moment()
    decided_at = Moment(allow_null=True)

    def get_organization(self, request: ApprovalRequest) -> str | None:
        return _id(Organization.PUBLIC_PREFIX, request.organization_id)

    def get_billing_account(self, request: ApprovalRequest) -> str | None:
        return _id(BillingAccount.PUBLIC_PREFIX, request.billing_account_id)

    def get_maker(self, request: ApprovalRequest) -> str | None:
        return _id(User.PUBLIC_PREFIX, request.maker_id)

    def get_checker(self, request: ApprovalRequest) -> str | None:
        return _id(User.PUBLIC_PREFIX, request.checker_id)


class WaitingOut(serializers.Serializer[Any]):
    approval = ApprovalOut()


def waiting(request: ApprovalRequest) -> Answer:
    """202: nothing is done yet."""
    return Answer(202, WaitingOut({"approval": request}).data)


def answer_of(outcome: Outcome, done: Any) -> Any:
    """`done` where the act is done, else what waits."""
    return waiting(outcome.request) if outcome.request else done


def _id(prefix: str, key: int | None) -> str | None:
    return encode(prefix, key) if key else None
