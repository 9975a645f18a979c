"""Answers of acts that may wait for a second person."""

from typing import Any

from rest_framework import serializers

from accounts.api.fields import Moment
from accounts.api.operations import Answer
from accounts.approvals import Outcome
from accounts.models import ApprovalRequest


class ApprovalOut(serializers.Serializer[Any]):
    """An act that waits for, or had, the decision of a second person."""

    id = serializers.CharField(source="public_id")
    act = serializers.CharField()
    summary = serializers.CharField()
    state = serializers.CharField()
    amount_minor = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    requested_at = Moment()
    expires_at = Moment()
    decided_at = Moment(allow_null=True)


class WaitingOut(serializers.Serializer[Any]):
    approval = ApprovalOut()


def waiting(request: ApprovalRequest) -> Answer:
    """202: nothing is done yet."""
    return Answer(202, WaitingOut({"approval": request}).data)


def answer_of(outcome: Outcome, done: Any) -> Any:
    """`done` where the act is done, else what waits."""
    return waiting(outcome.request) if outcome.request else done
