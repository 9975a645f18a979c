"""Meters: what usage is measured in. For staff."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.fields import Moment, Text
from accounts.api.naming import named
from accounts.api.operations import act, listing, reading
from accounts.api.queries import PageQuery
from accounts.api.reasons import WithReason
from quotas.api.for_staff import ForStaff
from quotas.meters import add_dimensions, advance, define_meter
from quotas.models import Aggregation, Meter, MeterPhase


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


class MeterQuery(PageQuery):
    phase = serializers.ChoiceField(MeterPhase.choices, required=False)


class DefineMeter(WithReason):
    name = Text(max_length=253)
    display_name = Text(max_length=128)
    unit = Text(max_length=64, help_text="UCUM, such as h or GBy.")
    aggregation = serializers.ChoiceField(Aggregation.choices)
    dimensions = serializers.ListField(child=Text(max_length=64), required=False)


class AddDimensions(WithReason):
    dimensions = serializers.ListField(child=Text(max_length=64))


class Meters(ForStaff):
    @listing("List meters", needs=READ_BILLING, staff="view", answers=MeterOut, query=MeterQuery)
    def get(self, **filters: str) -> QuerySet[Meter]:
        """For staff."""
        return Meter.objects.filter(**filters)

    @act("Define a meter", needs=READ_BILLING, staff="operate", takes=DefineMeter, answers=MeterOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime) -> Meter:
        """As a draft. For finance-operators."""
        by = self.by(given.pop("reason"), at)
        return define_meter(given.pop("name"), **given, **by)


class OneMeter(ForStaff):
    @reading("Get a meter", needs=READ_BILLING, staff="view", answers=MeterOut)
    def get(self, meter: str) -> Meter:
        """For staff."""
        return named(Meter.objects.all(), meter, what="meter")


class Dimensions(ForStaff):
    @act("Add dimensions to a meter", needs=READ_BILLING, staff="operate", takes=AddDimensions, answers=MeterOut)
    def post(self, given: dict[str, Any], *, at: datetime, meter: str) -> Meter:
        """For finance-operators."""
        found = named(Meter.objects.all(), meter, what="meter")
        return add_dimensions(found.pk, given["dimensions"], **self.by(given["reason"], at))


class Advance(ForStaff):
    @act("Advance a meter", needs=READ_BILLING, staff="operate", takes=WithReason, answers=MeterOut)
    def post(self, given: dict[str, Any], *, at: datetime, meter: str) -> Meter:
        """Draft, Published, Deprecated, Retired: one step. For finance-operators."""
        found = named(Meter.objects.all(), meter, what="meter")
        return advance(found.pk, **self.by(given["reason"], at))
