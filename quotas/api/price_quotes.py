"""What usage costs: an account, by its offer and what was granted to it; or anybody, by a price as written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from accounts.abilities import READ_BILLING, READ_PROJECTS
from accounts.api.billing_account_names import accounts_of
from accounts.api.fields import Body, DecimalText, Moment, PublicIdOf, Text
from accounts.api.naming import referred
from accounts.api.operations import asking
from accounts.api.resources import Resource
from accounts.models import BillingAccount
from quotas.pricing.answers import answer_as_json, quote_as_json
from quotas.pricing.faults import Faults
from quotas.pricing.fields import read_number
from quotas.pricing.requests import read_question
from quotas.usage_quotes import price_usage


class QuoteOut(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = serializers.CharField(help_text="Exact, in major units.")
    amount_minor = serializers.IntegerField(help_text="Rounded half up, once.")
    lines = serializers.ListField(child=serializers.DictField(), help_text="What each tier or rule contributed.")
    commitment = serializers.DictField(required=False)
    discounts_used = serializers.DictField(required=False)


class AccountQuoteOut(QuoteOut):
    billing_account = serializers.CharField()
    metric = serializers.CharField()
    offer = serializers.CharField()
    segment = serializers.CharField(allow_null=True)
    price_for = serializers.CharField(help_text="Whose price it is: the account's, its segment's or everybody's.")


class PeriodsQuoteOut(QuoteOut):
    periods = QuoteOut(many=True, required=False)


class UsageQuestion(Body):
    billing_account = PublicIdOf(BillingAccount.PUBLIC_PREFIX, help_text="Public id.")
    metric = Text(max_length=253)
    quantity = DecimalText()
    dimensions = serializers.DictField(child=Text(max_length=253), required=False)
    at = Moment(required=False, help_text="By what was in force then; now where left out.")


class PriceQuestion(Body):
    """A price and a quantity, as `price_quantity` and docs/pricing.md have them."""

    price = serializers.JSONField(required=False)
    price_list = serializers.JSONField(required=False)
    quantity = DecimalText(required=False)
    quantities = serializers.JSONField(required=False, help_text="One a period.")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Read by the price book itself, which names every fault."""
        return {"question": data} if isinstance(data, Mapping) else super().to_internal_value(data)


class PriceQuotes(Resource):
    @asking("Ask what usage costs an account", needs=READ_BILLING, takes=UsageQuestion, answers=AccountQuoteOut)
    def post(self, given: dict[str, Any], *, at: datetime) -> dict[str, Any]:
        account = referred(accounts_of(self.caller), given["billing_account"], field="billing_account")
        faults = Faults()
        quantity = read_number(given["quantity"], "quantity", faults, below=10**15)
        faults.raise_any()
        assert quantity is not None  # noqa: S101 - without faults there is a number
        dimensions, asked = given.get("dimensions"), given.get("at", at)
        priced = price_usage(account, given["metric"], quantity, dimensions=dimensions, at=asked)
        return {
            **quote_as_json(priced.quote),
            "billing_account": account.public_id,
            "metric": given["metric"],
            "offer": priced.entitlement.offer.code,
            "segment": priced.segment.code if priced.segment else None,
            "price_for": str(priced.price.audience),
        }


class PriceCalculations(Resource):
    @asking("Ask what a price comes to", needs=READ_PROJECTS, takes=PriceQuestion, answers=PeriodsQuoteOut)
    def post(self, given: dict[str, Any], *, at: datetime) -> dict[str, Any]:
        """Tier by tier. Nothing has to be in the price book."""
        return answer_as_json(read_question(given["question"], at=at))
