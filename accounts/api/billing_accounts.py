"""Billing accounts: who is charged, under which terms, and whom invoices name."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import serializers

from accounts import account_deletion, clock, legal_entities, lifecycle, personal_data, shown_people
from accounts.abilities import READ_BILLING, WRITE_BILLING
from accounts.account_view import to_be_read
from accounts.api.billing_account_bodies import BillingAccountOut, ChangeBillingAccount, OpenBillingAccount
from accounts.api.billing_account_changes import change, refuse_what_is_fixed, require_choosable
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.naming import known_to, referred
from accounts.api.operations import act, listing, reading
from accounts.api.organizations import organization_named, organizations_of
from accounts.api.queries import PageQuery
from accounts.api.reading_in_full import ShowQuery
from accounts.api.reasons import Reasoned, reason_of
from accounts.api.resources import Resource
from accounts.callers import Caller
from accounts.currencies import EXPONENTS
from accounts.locking import lock_account
from accounts.models import BillingAccount, LegalEntity, Phase, Settlement


class BillingAccountQuery(PageQuery):
    organization = serializers.CharField(required=False, help_text="Public id, or `ext:` and your own.")
    currency = serializers.ChoiceField(choices=sorted(EXPONENTS), required=False)
    phase = serializers.ChoiceField(choices=Phase.choices, required=False)
    settlement = serializers.ChoiceField(choices=Settlement.choices, required=False)


class BillingAccounts(Resource):
    @listing("List billing accounts", needs=READ_BILLING, answers=BillingAccountOut, query=BillingAccountQuery)
    def get(self, organization: str | None = None, **filters: str) -> QuerySet[BillingAccount]:
        rows = accounts_of(self.caller).filter(**filters)
        if organization:
            rows = rows.filter(organization=organization_named(self.caller, organization))
        return to_be_read(rows)

    @act(
        "Open a billing account",
        needs=WRITE_BILLING,
        takes=OpenBillingAccount,
        answers=BillingAccountOut,
        status=201,
    )
    def post(self, given: dict[str, Any], *, at: datetime) -> BillingAccount:
        """It is Ready at once. How many an organization may open is a quota of its own."""
        organization = referred(organizations_of(self.caller), given.pop("organization"), field="organization")
        self.caller.require(WRITE_BILLING, organization.pk, what="organization")
        require_choosable(given, self.caller)
        reason = reason_of(given, self.caller)
        opened = lifecycle.open_billing_account(
            organization,
            _seller(given.get("legal_entity")),
            given["name"],
            currency=given["currency"],
            settlement=given["settlement"],
            external_id=given.get("external_id"),
            actor=self.caller.actor,
            reason=reason,
            at=at,
        )
        change(opened.pk, given, caller=self.caller, reason=reason, at=at)
        return as_read(opened.pk)


class OneBillingAccount(Resource):
    @reading("Get a billing account", needs=READ_BILLING, answers=BillingAccountOut, query=ShowQuery)
    def get(self, billing_account: str, show: str = "") -> BillingAccount:
        found = account_named(to_be_read(accounts_of(self.caller)), billing_account)
        if show and self.caller.staff:
            self.caller.require_staff("identify")
            with transaction.atomic():
                by, page = self.caller.person(), self.request.path
                personal_data.show_details(found.pk, by=by, page=page, at=clock.now())
            shown_people.mark(self.request._request, shown_people.named(found))
        return found

    @act(
        "Change a billing account",
        needs=WRITE_BILLING,
        takes=ChangeBillingAccount,
        answers=BillingAccountOut,
        versioned=True,
    )
    def patch(self, given: dict[str, Any], *, at: datetime, billing_account: str) -> BillingAccount:
        """What is not given stays. All or nothing."""
        found = account_to_write(self.caller, billing_account)
        refuse_what_is_fixed(given, self.caller)
        reason = reason_of(given, self.caller)
        change(found.pk, given, caller=self.caller, reason=reason, at=at)
        return as_read(found.pk)

    @act(
        "Delete a billing account",
        needs=WRITE_BILLING,
        takes=Reasoned,
        answers=BillingAccountOut,
        versioned=True,
    )
    def delete(self, given: dict[str, Any], *, at: datetime, billing_account: str) -> BillingAccount:
        """It is archived for ever, its details are erased, and its customer sees it no more; what stands on the book
        stays. No project may be bound to it, nothing may run, and its balance must be zero."""
        found = account_to_write(self.caller, billing_account)
        reason = reason_of(given, self.caller, unsaid="deleted by its organization") or ""
        account_deletion.delete_account(found.pk, actor=self.caller.actor, reason=reason, at=at)
        return as_read(found.pk)

    def lock(self, **url: str) -> None:
        lock_account(account_to_write(self.caller, url["billing_account"]).pk)

    def represent(self, **url: str) -> Any:
        found = as_read(account_to_write(self.caller, url["billing_account"]).pk)
        return BillingAccountOut(found, context={"caller": self.caller, "request": self.request}).data


def account_to_write(caller: Caller, text: str) -> BillingAccount:
    """Raises NotFound, Forbidden."""
    rows = known_to(caller, BillingAccount.objects.all())
    found = account_named(rows if caller.everywhere else rows.filter(deleted_at=None), text)
    caller.require(WRITE_BILLING, found.organization_id, what="billing account")
    return found


def as_read(account_id: int) -> BillingAccount:
    """What an answer tells of it, after an act."""
    return to_be_read(BillingAccount.objects.all()).get(pk=account_id)


def _seller(key: int | None) -> LegalEntity:
    if key is None:
        return legal_entities.the_only_one()
    return referred(LegalEntity.objects.all(), key, field="legal_entity")
