"""Which offer bills an account."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import clock
from accounts.abilities import READ_BILLING
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import Moment, Text
from accounts.api.operations import act, listing, reading
from accounts.api.resources import Resource
from accounts.errors import NotFound
from accounts.models import BillingAccount
from quotas.api.account_terms import OfAccount, OfAccountNow, account_to_change, of_accounts
from quotas.api.fields import Ref
from quotas.entitlements import assign_offer, entitlement_of, find_offer
from quotas.models import BillingEntitlement


class EntitlementOut(serializers.Serializer[Any]):
    """Which offer bills an account, over [effective_from, effective_to)."""

    billing_account = Ref(BillingAccount.PUBLIC_PREFIX, source="billing_account_id")
    offer = serializers.CharField(source="offer.code")
    offer_name = serializers.CharField(source="offer.display_name")
    effective_from = Moment()
    effective_to = Moment(allow_null=True)


class AssignOffer(OfAccountNow):
    offer = Text(max_length=63, help_text="Its code.")


class Entitlements(Resource):
    @listing("List entitlements", needs=READ_BILLING, answers=EntitlementOut, query=OfAccount)
    def get(self, billing_account: str | None = None) -> QuerySet[BillingEntitlement]:
        return of_accounts(self.caller, BillingEntitlement.objects.select_related("offer"), billing_account)

    @act("Assign an offer", needs=READ_BILLING, staff="operate", takes=AssignOffer, answers=EntitlementOut, status=201)
    def post(self, given: dict[str, Any], *, at: datetime) -> BillingEntitlement:
        """Bills the account by it from now on. For finance-operators."""
        account, offer = account_to_change(self.caller, given), find_offer(given.pop("offer"))
        return assign_offer(account.pk, offer, **given, actor=self.caller.actor, at=at)


class EntitlementOfAccount(Resource):
    @reading("Get what bills an account", needs=READ_BILLING, answers=EntitlementOut)
    def get(self, account: str) -> BillingEntitlement:
        """The offer that bills it now."""
        held = entitlement_of(account_named(accounts_of(self.caller), account).pk, clock.now())
        if held is None:
            raise NotFound("the account is billed by no offer")
        return held
