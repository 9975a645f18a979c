"""Offers: what is sold together; frozen once it is published. For staff."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.approval_answers import WaitingOut
from accounts.api.fields import Moment, PublicIdOf, Text
from accounts.api.naming import named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.queries import PageQuery
from accounts.api.reasons import WithReason
from quotas import offers
from quotas.api.for_staff import ForStaff
from quotas.models import LaunchStage, Offer, ServicePrice


class OfferOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    code = serializers.CharField()
    display_name = serializers.CharField()
    launch_stage = serializers.ChoiceField(LaunchStage.choices)
    charge_types = serializers.ListField(child=serializers.CharField())
    created_at = Moment()
    published_at = Moment(allow_null=True)


class WholeOfferOut(OfferOut):
    snapshot = serializers.JSONField(help_text="Null of a draft. The prices as they were published, by currency.")


class OfferQuery(PageQuery):
    launch_stage = serializers.ChoiceField(LaunchStage.choices, required=False)


class SaveOffer(WithReason):
    code = Text(max_length=63)
    display_name = Text(max_length=128)
    charge_types = serializers.ListField(child=Text(max_length=16), max_length=10)
    prices = serializers.ListField(child=PublicIdOf(ServicePrice.PUBLIC_PREFIX), max_length=500)


class RenameOffer(WithReason):
    display_name = Text(max_length=128)


class Offers(ForStaff):
    @listing("List offers", needs=READ_BILLING, staff="view", answers=OfferOut, query=OfferQuery)
    def get(self, **filters: str) -> QuerySet[Offer]:
        """For staff."""
        return Offer.objects.filter(**filters).defer("snapshot")

    @act("Save a draft of an offer", needs=READ_BILLING, staff="operate", takes=SaveOffer, answers=WholeOfferOut)
    def post(self, given: dict[str, Any], *, at: datetime) -> Offer:
        """Under its code, in place of the one before. For finance-operators."""
        by, prices = self.by(given.pop("reason"), at), ServicePrice.objects.order_by("pk")
        keys = given.pop("prices")
        found = [referred(prices, key, field=f"prices/{place}") for place, key in enumerate(keys)]
        return offers.save_offer(given.pop("code"), **given, prices=found, **by)


class OneOffer(ForStaff):
    @reading("Get an offer", needs=READ_BILLING, staff="view", answers=WholeOfferOut)
    def get(self, offer: str) -> Offer:
        """For staff."""
        return named(Offer.objects.all(), offer, what="offer")


class PublishOffer(ForStaff):
    @act(
        "Publish an offer",
        needs=READ_BILLING,
        staff="operate",
        takes=WithReason,
        answers=WholeOfferOut,
        also={202: WaitingOut},
    )
    def post(self, given: dict[str, Any], *, at: datetime, offer: str) -> Any:
        """Copies its prices and freezes it; it may wait for a second person. For finance-operators."""
        found = named(Offer.objects.all(), offer, what="offer")
        return self.propose(offers.ACT, offers.payload(found), found, reason=given["reason"], at=at)


class Rename(ForStaff):
    @act("Rename an offer", needs=READ_BILLING, staff="operate", takes=RenameOffer, answers=WholeOfferOut)
    def post(self, given: dict[str, Any], *, at: datetime, offer: str) -> Offer:
        """The one change that a published offer allows. For finance-operators."""
        found = named(Offer.objects.all(), offer, what="offer")
        return offers.rename(found.pk, given["display_name"], **self.by(given["reason"], at))
