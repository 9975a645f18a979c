"""What accounts have, as lists of it: whose it is, and whom staff grant it to."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import Body, PublicIdOf, Text
from accounts.api.naming import referred
from accounts.api.queries import PageQuery
from accounts.callers import Caller, visible
from accounts.models import BillingAccount

Row = TypeVar("Row", bound=Model)


class OfAccount(PageQuery):
    billing_account = serializers.CharField(required=False)


class OfAccountNow(Body):
    billing_account = PublicIdOf(BillingAccount.PUBLIC_PREFIX, help_text="Public id.")
    reason = Text()


def of_accounts(caller: Caller, rows: QuerySet[Row], billing_account: str | None = None) -> QuerySet[Row]:
    found = visible(rows, caller, READ_BILLING, organization="billing_account__organization_id")
    if billing_account is None:
        return found
    return found.filter(billing_account=account_named(accounts_of(caller), billing_account))


def account_to_change(caller: Caller, given: dict[str, Any]) -> BillingAccount:
    caller.require_staff("operate")
    return referred(accounts_of(caller), given.pop("billing_account"), field="billing_account")
