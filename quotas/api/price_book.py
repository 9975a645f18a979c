"""What is sold by usage, for staff: meters, drafts of prices, offers, segments of customers."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.fields import Moment
from accounts.api.naming import named
from accounts.api.operations import listing, reading
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.models import BillingAccount
from quotas.api.fields import Ref
from quotas.models import CustomerSegment, LaunchStage, Meter, MeterPhase, Offer, ServicePrice


class MeterOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    display_name = serializers.CharField()
    unit = serializers.CharField(help_text="UCUM.")
    aggregation = serializers.CharField()
    dimensions = serializers.ListField(child=serializers.CharField())
    phase = serializers.ChoiceField(MeterPhase.choices)
    created_at = Moment()
    published_at = Moment(allow_null=True)


class PriceOut(serializers.Serializer[Any]):
    """A draft: offers that are published keep a copy."""

    id = serializers.CharField(source="public_id")
    code = serializers.CharField()
    charge_type = serializers.CharField()
    currency = serializers.CharField()
    metric = serializers.CharField(source="meter.name", default=None, allow_null=True)
    segment = serializers.CharField(source="segment.code", default=None, allow_null=True)
    billing_account = Ref(BillingAccount.PUBLIC_PREFIX, source="billing_account_id", allow_null=True)
    document = serializers.JSONField(help_text="As docs/pricing.md has it.")
    created_at = Moment()
    changed_at = Moment()


class OfferOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    code = serializers.CharField()
    display_name = serializers.CharField()
    launch_stage = serializers.ChoiceField(LaunchStage.choices)
    charge_types = serializers.ListField(child=serializers.CharField())
    created_at = Moment()
    published_at = Moment(allow_null=True)


class WholeOfferOut(OfferOut):
    snapshot = serializers.JSONField(allow_null=True, help_text="The prices as they were published, by currency.")


class SegmentOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    code = serializers.CharField()
    name = serializers.CharField()
    created_at = Moment()


class MeterQuery(PageQuery):
    phase = serializers.ChoiceField(MeterPhase.choices, required=False)


class OfferQuery(PageQuery):
    launch_stage = serializers.ChoiceField(LaunchStage.choices, required=False)


class ForStaff(Resource):
    def require_ability(self, needs: str) -> None:
        self.caller.require_staff("view")


class Meters(ForStaff):
    @listing("List meters", needs=READ_BILLING, answers=MeterOut, query=MeterQuery)
    def get(self, **filters: str) -> QuerySet[Meter]:
        """For staff."""
        return Meter.objects.filter(**filters)


class OneMeter(ForStaff):
    @reading("Get a meter", needs=READ_BILLING, answers=MeterOut)
    def get(self, meter: str) -> Meter:
        """For staff."""
        return named(Meter.objects.all(), meter, what="meter")


class Prices(ForStaff):
    @listing("List drafts of prices", needs=READ_BILLING, answers=PriceOut)
    def get(self) -> QuerySet[ServicePrice]:
        """For staff."""
        return ServicePrice.objects.select_related("meter", "segment")


class OnePrice(ForStaff):
    @reading("Get a draft of a price", needs=READ_BILLING, answers=PriceOut)
    def get(self, price: str) -> ServicePrice:
        """For staff."""
        return named(ServicePrice.objects.select_related("meter", "segment"), price, what="price")


class Offers(ForStaff):
    @listing("List offers", needs=READ_BILLING, answers=OfferOut, query=OfferQuery)
    def get(self, **filters: str) -> QuerySet[Offer]:
        """For staff."""
        return Offer.objects.filter(**filters).defer("snapshot")


class OneOffer(ForStaff):
    @reading("Get an offer", needs=READ_BILLING, answers=WholeOfferOut)
    def get(self, offer: str) -> Offer:
        """For staff."""
        return named(Offer.objects.all(), offer, what="offer")


class Segments(ForStaff):
    @listing("List segments of customers", needs=READ_BILLING, answers=SegmentOut)
    def get(self) -> QuerySet[CustomerSegment]:
        """For staff."""
        return CustomerSegment.objects.all()


class OneSegment(ForStaff):
    @reading("Get a segment of customers", needs=READ_BILLING, answers=SegmentOut)
    def get(self, segment: str) -> CustomerSegment:
        """For staff."""
        return named(CustomerSegment.objects.all(), segment, what="segment")
