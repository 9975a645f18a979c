"""The ordered feed of what happened: read on from where you stopped, and nothing is missed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import event_feed
from accounts.abilities import READ_EVENTS
from accounts.api import described
from accounts.api.fields import Moment
from accounts.api.operations import needing
from accounts.api.paging import MOST
from accounts.api.queries import Digits, Query
from accounts.api.resources import Resource
from accounts.callers import visible
from accounts.models import BillingAccount, FeedEvent, Organization
from accounts.public_ids import encode


class EventOut(serializers.Serializer[Any]):
    position = serializers.IntegerField(help_text="Its place in the feed: rising, the same for every reader.")
    topic = serializers.CharField(source="message.topic")
    occurred_at = Moment(source="message.occurred_at")
    organization = serializers.SerializerMethodField()
    billing_account = serializers.SerializerMethodField()
    sequence = serializers.IntegerField(
        source="message.seq", allow_null=True, help_text="Counts the billing account's own messages: 1, 2, 3 …"
    )
    payload = serializers.DictField(source="message.payload")

    def get_organization(self, event: FeedEvent) -> str | None:
        key = event.organization_id
        return encode(Organization.PUBLIC_PREFIX, key) if key else None

    def get_billing_account(self, event: FeedEvent) -> str | None:
        key = event.message.billing_account_id
        return encode(BillingAccount.PUBLIC_PREFIX, key) if key else None


class EventPage(serializers.Serializer[Any]):
    data = EventOut(many=True)  # type: ignore[assignment] # as every list names it
    has_more = serializers.BooleanField()
    next_after = serializers.IntegerField(help_text="Give it as `after` next time, also where there is nothing yet.")


class EventQuery(Query):
    after = Digits(required=False, min_value=0, max_value=2**63 - 1, help_text="The last position you have seen.")
    limit = Digits(required=False, min_value=1, max_value=MOST)
    topic = serializers.CharField(required=False, max_length=80)


class Events(Resource):
    @needing(READ_EVENTS)
    @extend_schema(
        summary="Read the feed of events",
        description="What happened, oldest first, a second or two after it was committed. Needs `events:read`.",
        parameters=[EventQuery],
        responses=described.answers({200: EventPage}, writes=False),
    )
    def get(self, request: Request) -> Response:
        self.require_ability(READ_EVENTS)
        query = EventQuery.read(request.query_params)
        position, limit = query.get("after", 0), query.get("limit", MOST)
        events = visible(event_feed.after(position), self.caller, READ_EVENTS)
        if READ_EVENTS not in self.caller.everywhere:
            events = event_feed.of_customers(events)
        if topic := query.get("topic"):
            events = events.filter(message__topic=topic)
        found = list(events[: limit + 1])
        shown = found[:limit]
        newest = shown[-1].position if shown else position
        return Response(EventPage({"data": shown, "has_more": len(found) > limit, "next_after": newest}).data)
