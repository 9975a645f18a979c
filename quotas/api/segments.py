"""Segments of customers, who are sold to at prices of their own. For staff."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import clock
from accounts.abilities import READ_BILLING
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import Moment, Text
from accounts.api.naming import named
from accounts.api.operations import act, listing, reading
from accounts.api.reasons import WithReason
from accounts.models import BillingAccount
from quotas.api.for_staff import ForStaff
from quotas.customer_segments import find_segment, open_segment, place, segment_of
from quotas.models import CustomerSegment


class SegmentOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    code = serializers.CharField()
    name = serializers.CharField()
    created_at = Moment()


class OpenSegment(WithReason):
    code = Text(max_length=63)
    name = Text(max_length=128)


class PlaceAccount(WithReason):
    segment = Text(max_length=63, allow_null=True, help_text="Its code; null for none.")


class PlacementOut(serializers.Serializer[Any]):
    billing_account = serializers.CharField()
    segment = serializers.CharField(allow_null=True)


class Segments(ForStaff):
    @listing("List segments of customers", needs=READ_BILLING, staff="view", answers=SegmentOut)
    def get(self) -> QuerySet[CustomerSegment]:
        """For staff."""
        return CustomerSegment.objects.all()

    @act(
        "Open a segment of customers",
        needs=READ_BILLING,
        staff="operate",
        takes=OpenSegment,
        answers=SegmentOut,
        status=201,
    )
    def post(self, given: dict[str, Any], *, at: datetime) -> CustomerSegment:
        """For finance-operators."""
        return open_segment(given["code"], given["name"], **self.by(given["reason"], at))


class OneSegment(ForStaff):
    @reading("Get a segment of customers", needs=READ_BILLING, staff="view", answers=SegmentOut)
    def get(self, segment: str) -> CustomerSegment:
        """For staff."""
        return named(CustomerSegment.objects.all(), segment, what="segment")


class Placement(ForStaff):
    @reading("Get the segment of an account", needs=READ_BILLING, staff="view", answers=PlacementOut)
    def get(self, account: str) -> dict[str, Any]:
        """As of now. For staff."""
        found = account_named(accounts_of(self.caller), account)
        return _placement(found, clock.now())

    @act("Place an account in a segment", needs=READ_BILLING, staff="operate", takes=PlaceAccount, answers=PlacementOut)
    def put(self, given: dict[str, Any], *, at: datetime, account: str) -> dict[str, Any]:
        """From now on, or in none. For finance-operators."""
        by, found = self.by(given["reason"], at), account_named(accounts_of(self.caller), account)
        place(found.pk, find_segment(given["segment"]) if given["segment"] else None, **by)
        return _placement(found, at)


def _placement(account: BillingAccount, at: datetime) -> dict[str, Any]:
    segment = segment_of(account.pk, at)
    return {"billing_account": account.public_id, "segment": segment.code if segment else None}
