"""Discounts granted to accounts."""

from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.fields import AmountMinor, Body, DecimalText, Moment, Text, Whole
from accounts.api.naming import named
from accounts.api.operations import act, listing, reading
from accounts.api.resources import Resource
from accounts.models import BillingAccount
from quotas.api.account_terms import OfAccount, OfAccountNow, account_to_change, of_accounts
from quotas.api.fields import Ref
from quotas.meters import find_meter
from quotas.models import AccountDiscount
from quotas.price_grants import DiscountTerms, grant_discount, withdraw_discount


class DiscountOut(serializers.Serializer[Any]):
    """Either `percent` or `amount_minor`."""

    id = serializers.CharField(source="public_id")
    billing_account = Ref(BillingAccount.PUBLIC_PREFIX, source="billing_account_id")
    metric = serializers.CharField(source="meter.name", default=None, allow_null=True, help_text="Null for all.")
    percent = DecimalText(allow_null=True)
    amount_minor = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    starts_at = Moment()
    ends_at = Moment(allow_null=True)
    times = serializers.IntegerField(allow_null=True, help_text="For at most so many bills.")
    used = serializers.SerializerMethodField(help_text="By how many bills it was taken.")
    granted_at = Moment()
    withdrawn_at = Moment(allow_null=True)

    def get_used(self, row: AccountDiscount) -> int:
        taken = getattr(row, "taken", None)
        return row.uses.count() if taken is None else taken


class GrantDiscount(OfAccountNow):
    percent = DecimalText(required=False)
    amount_minor = AmountMinor(required=False)
    metric = Text(max_length=253, required=False, help_text="Without it, all metrics.")
    starts_at = Moment(required=False, help_text="Now where left out.")
    ends_at = Moment(required=False)
    times = Whole(required=False, help_text="For at most so many bills.")


class WithdrawDiscount(Body):
    reason = Text()


class Discounts(Resource):
    @listing("List discounts", needs=READ_BILLING, answers=DiscountOut, query=OfAccount)
    def get(self, billing_account: str | None = None) -> QuerySet[AccountDiscount]:
        return of_accounts(self.caller, _discounts(), billing_account)

    @act(
        "Grant a discount",
        needs=READ_BILLING,
        staff="operate",
        takes=GrantDiscount,
        answers=DiscountOut,
        status=201,
        money=True,
    )
    def post(self, given: dict[str, Any], *, at: datetime) -> AccountDiscount:
        """For finance-operators."""
        account, reason = account_to_change(self.caller, given), given.pop("reason")
        metric = given.pop("metric", None)
        terms = DiscountTerms(given.pop("starts_at", at), meter=find_meter(metric) if metric else None, **given)
        return grant_discount(account.pk, terms, actor=self.caller.actor, reason=reason, at=at)


class OneDiscount(Resource):
    @reading("Get a discount", needs=READ_BILLING, answers=DiscountOut)
    def get(self, discount: str) -> AccountDiscount:
        return named(of_accounts(self.caller, _discounts()), discount, what="discount")


class Withdraw(Resource):
    @act("Withdraw a discount", needs=READ_BILLING, staff="operate", takes=WithdrawDiscount, answers=DiscountOut)
    def post(self, given: dict[str, Any], *, at: datetime, discount: str) -> AccountDiscount:
        """No bill takes it from now on. For finance-operators."""
        self.caller.require_staff("operate")
        found = named(of_accounts(self.caller, _discounts()), discount, what="discount")
        return withdraw_discount(found.pk, **given, actor=self.caller.actor, at=at)


def _discounts() -> QuerySet[AccountDiscount]:
    return AccountDiscount.objects.select_related("meter").annotate(taken=Count("uses"))
