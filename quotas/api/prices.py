"""Drafts of prices; offers that are published keep a copy. For staff."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.billing_account_names import accounts_of
from accounts.api.fields import Moment, PublicIdOf, Text
from accounts.api.naming import named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.reasons import WithReason
from accounts.models import BillingAccount
from quotas.api.fields import Document, Ref
from quotas.api.for_staff import ForStaff
from quotas.customer_segments import find_segment
from quotas.meters import find_meter
from quotas.models import ServicePrice
from quotas.service_prices import Draft, save_price


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


class SavePrice(WithReason):
    code = Text(max_length=63)
    charge_type = Text(max_length=16, help_text="Usage, OneTime or Recurring.")
    currency = Text(max_length=3)
    document = Document(help_text="Without currency and metric; decimals as text.")
    metric = Text(max_length=253, required=False, help_text="Of usage.")
    segment = Text(max_length=63, required=False, help_text="Whose price it is, by its code; or an account's.")
    billing_account = PublicIdOf(BillingAccount.PUBLIC_PREFIX, required=False, help_text="Public id.")


class Prices(ForStaff):
    @listing("List drafts of prices", needs=READ_BILLING, staff="view", answers=PriceOut)
    def get(self) -> QuerySet[ServicePrice]:
        """For staff."""
        return ServicePrice.objects.select_related("meter", "segment")

    @act("Save a draft of a price", needs=READ_BILLING, staff="operate", takes=SavePrice, answers=PriceOut)
    def post(self, given: dict[str, Any], *, at: datetime) -> ServicePrice:
        """Under its code, in place of the one before. For finance-operators."""
        by = self.by(given["reason"], at)
        draft = Draft(
            given["code"],
            given["charge_type"],
            given["currency"],
            given["document"],
            meter=find_meter(given["metric"]) if "metric" in given else None,
            segment=find_segment(given["segment"]) if "segment" in given else None,
            account=self._account(given["billing_account"]) if "billing_account" in given else None,
        )
        return save_price(draft, **by)

    def _account(self, key: int) -> BillingAccount:
        return referred(accounts_of(self.caller), key, field="billing_account")


class OnePrice(ForStaff):
    @reading("Get a draft of a price", needs=READ_BILLING, staff="view", answers=PriceOut)
    def get(self, price: str) -> ServicePrice:
        """For staff."""
        return named(ServicePrice.objects.select_related("meter", "segment"), price, what="price")
