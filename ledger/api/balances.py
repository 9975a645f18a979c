"""Balances: what an account holds or owes now, and the state a prepaid one is in."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import DecimalText, Moment
from accounts.api.operations import listing, reading
from accounts.api.resources import Resource
from accounts.models import BillingAccount, Settlement
from ledger.balances import balances
from ledger.models import BalanceState


class BalanceOut(serializers.Serializer[Any]):
    """Positive is what the customer has, negative what is owed."""

    billing_account = serializers.CharField()
    settlement = serializers.ChoiceField(Settlement.choices)
    amount_minor = serializers.IntegerField(help_text="Minor units of the currency.")
    currency = serializers.CharField()
    kinds = serializers.DictField(child=serializers.IntegerField(), help_text="wallet, unbilled, receivable, held")
    state = serializers.CharField(allow_null=True, help_text="Of a prepaid account.")
    state_since = Moment(allow_null=True)
    burn_minor_per_hour = DecimalText(allow_null=True)


def with_balances(accounts: Sequence[BillingAccount]) -> list[dict[str, Any]]:
    """What `BalanceOut` writes, for many accounts in one query; their states came with them."""
    held = balances(accounts)
    return [_of(account, held[account.pk].amount_minor, held[account.pk].kinds) for account in accounts]


def _of(account: BillingAccount, amount_minor: int, kinds: dict[str, int]) -> dict[str, Any]:
    state: BalanceState | None = getattr(account, "balance_state", None)
    return {
        "billing_account": account.public_id,
        "settlement": account.settlement,
        "amount_minor": amount_minor,
        "currency": account.currency,
        "kinds": kinds,
        "state": state.state if state else None,
        "state_since": state.since if state else None,
        "burn_minor_per_hour": state.burn_minor_per_hour if state else None,
    }


class Balances(Resource):
    @listing(
        "List balances",
        needs=READ_BILLING,
        answers=BalanceOut,
        prepare=with_balances,
    )
    def get(self) -> QuerySet[BillingAccount]:
        return accounts_of(self.caller).select_related("balance_state")


class BalanceOfAccount(Resource):
    @reading("Get a balance", needs=READ_BILLING, answers=BalanceOut)
    def get(self, account: str) -> dict[str, Any]:
        rows = accounts_of(self.caller).select_related("balance_state")
        return with_balances([account_named(rows, account)])[0]
