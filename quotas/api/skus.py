"""SKUs and their rates: what is sold by the unit and the hour."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import clock
from accounts.abilities import READ_PROJECTS
from accounts.api.fields import Body, DecimalText, Moment, Text
from accounts.api.operations import act, listing, reading
from accounts.api.queries import PageQuery
from accounts.api.resources import Resource
from accounts.errors import NotFound
from accounts.public_ids import decode
from quotas.models import Sku, SkuRate
from quotas.price_book import rates_in_force, set_rate


class RateOut(serializers.Serializer[Any]):
    """Major units of the currency per unit and hour, from a moment on until the next rate of that currency."""

    currency = serializers.CharField()
    rate_per_unit_hour = DecimalText()
    effective_from = Moment()


class SkuOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    created_at = Moment()
    rates = serializers.SerializerMethodField(help_text="Those in force, one a currency.")

    def get_rates(self, sku: Sku) -> list[dict[str, Any]]:
        return [dict(RateOut(rate).data) for rate in getattr(sku, "rates_now", ())]


class RateQuery(PageQuery):
    currency = serializers.CharField(required=False, max_length=3)


class NewRate(Body):
    currency = Text(max_length=3)
    rate_per_unit_hour = DecimalText()
    effective_from = Moment()


def with_rates(skus: Sequence[Sku]) -> Sequence[Sku]:
    """With the rates in force; one query."""
    found = rates_in_force([sku.pk for sku in skus], clock.now())
    for sku in skus:
        sku.rates_now = [rate for (key, _), rate in found.items() if key == sku.pk]  # type: ignore[attr-defined]
    return skus


class Skus(Resource):
    @listing("List SKUs", needs=READ_PROJECTS, answers=SkuOut, newest_first=False, prepare=with_rates)
    def get(self) -> QuerySet[Sku]:
        return Sku.objects.all()


class OneSku(Resource):
    @reading("Get a SKU", needs=READ_PROJECTS, answers=SkuOut)
    def get(self, sku: str) -> Sku:
        """By id or code."""
        return with_rates([sku_named(sku)])[0]


class Rates(Resource):
    @listing("List rates of a SKU", needs=READ_PROJECTS, answers=RateOut, query=RateQuery)
    def get(self, sku: str, currency: str | None = None) -> QuerySet[SkuRate]:
        """Those that were, are and will be in force."""
        rows = SkuRate.objects.filter(sku=sku_named(sku))
        return rows.filter(currency=currency) if currency else rows

    @act("Set a rate", needs=READ_PROJECTS, staff="operate", takes=NewRate, answers=RateOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime, sku: str) -> SkuRate:
        """In force from a moment on, never before usage that is billed. For finance-operators."""
        self.caller.require_staff("operate")
        return set_rate(sku_named(sku), **given, actor=self.caller.actor, at=at)


def sku_named(text: str) -> Sku:
    """By id or code. Raises NotFound."""
    key = decode(Sku.PUBLIC_PREFIX, text)
    found = Sku.objects.filter(pk=key) if key else Sku.objects.filter(code=text) if "\x00" not in text else ()
    for sku in found:
        return sku
    raise NotFound("no such SKU", field="sku")
