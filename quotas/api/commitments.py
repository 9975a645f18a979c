"""What accounts promised to use over a term, and what of it is drawn."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.abilities import READ_BILLING
from accounts.api.fields import AmountMinor, DecimalText, Flag, Moment, Text, Whole
from accounts.api.naming import named
from accounts.api.operations import act, listing, reading
from accounts.api.reasons import WithReason
from accounts.api.resources import Resource
from accounts.models import BillingAccount
from quotas.account_commitments import draw_month, grant_commitment, standing
from quotas.api.account_terms import OfAccount, OfAccountNow, account_to_change, of_accounts
from quotas.api.fields import Ref
from quotas.decimals import parse_quantity
from quotas.meters import find_meter
from quotas.models import AccountCommitment, CommitmentDraw


class CommitmentOut(serializers.Serializer[Any]):
    """What an account promised to use of a metric over a term; amounts in minor units."""

    id = serializers.CharField(source="public_id")
    billing_account = Ref(BillingAccount.PUBLIC_PREFIX, source="billing_account_id")
    metric = serializers.CharField(source="meter.name")
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    in_advance = serializers.BooleanField(help_text="Whether it is paid before the term.")
    months = serializers.IntegerField()
    starts_at = Moment()
    ends_at = Moment()
    drawn_minor = serializers.SerializerMethodField()
    remaining_minor = serializers.SerializerMethodField()
    next_month = serializers.SerializerMethodField(help_text="Which month draws next; null once the term has drawn.")

    def get_drawn_minor(self, row: AccountCommitment) -> int:
        return standing(row).drawn_minor

    def get_remaining_minor(self, row: AccountCommitment) -> int:
        return standing(row).remaining_minor

    def get_next_month(self, row: AccountCommitment) -> int | None:
        return standing(row).next_month


class GrantCommitment(OfAccountNow):
    metric = Text(max_length=253)
    amount_minor = AmountMinor()
    months = Whole()
    starts_at = Moment(required=False, help_text="Now where left out.")
    in_advance = Flag()


class DrawMonth(WithReason):
    quantity = DecimalText(help_text="What was used of the metric in the month that draws next.")


class DrawOut(serializers.Serializer[Any]):
    """What one month drew; amounts in minor units."""

    commitment = Ref(AccountCommitment.PUBLIC_PREFIX, source="commitment_id")
    month = serializers.IntegerField()
    used_minor = serializers.IntegerField()
    drawn_minor = serializers.IntegerField()
    true_up_minor = serializers.IntegerField(help_text="What the last month adds where less was used than promised.")
    billed_minor = serializers.IntegerField()
    currency = serializers.CharField()
    drawn_at = Moment()


class Commitments(Resource):
    @listing("List commitments", needs=READ_BILLING, answers=CommitmentOut, query=OfAccount)
    def get(self, billing_account: str | None = None) -> QuerySet[AccountCommitment]:
        return of_accounts(self.caller, _commitments(), billing_account)

    @act(
        "Agree a commitment",
        needs=READ_BILLING,
        staff="operate",
        takes=GrantCommitment,
        answers=CommitmentOut,
        status=201,
        money=True,
    )
    def post(self, given: dict[str, Any], *, at: datetime) -> AccountCommitment:
        """For finance-operators."""
        account, meter = account_to_change(self.caller, given), find_meter(given.pop("metric"))
        given.setdefault("starts_at", at)
        return grant_commitment(account.pk, meter, **given, actor=self.caller.actor, at=at)


class OneCommitment(Resource):
    @reading("Get a commitment", needs=READ_BILLING, answers=CommitmentOut)
    def get(self, commitment: str) -> AccountCommitment:
        return named(of_accounts(self.caller, _commitments()), commitment, what="commitment")


class Draws(Resource):
    @listing("List draws of a commitment", needs=READ_BILLING, answers=DrawOut, newest_first=False)
    def get(self, commitment: str) -> QuerySet[CommitmentDraw]:
        """Month by month."""
        found = named(of_accounts(self.caller, _commitments()), commitment, what="commitment")
        return CommitmentDraw.objects.filter(commitment=found)

    @act(
        "Draw a month of a commitment",
        needs=READ_BILLING,
        staff="operate",
        takes=DrawMonth,
        answers=DrawOut,
        status=201,
        money=True,
    )
    def post(self, given: dict[str, Any], *, at: datetime, commitment: str) -> CommitmentDraw:
        """The next one, priced as of its last moment. For finance-operators."""
        found = named(of_accounts(self.caller, _commitments()), commitment, what="commitment")
        quantity, reason = parse_quantity(given["quantity"]), given["reason"]
        return draw_month(found.pk, quantity, actor=self.caller.actor, reason=reason, at=at)


def _commitments() -> QuerySet[AccountCommitment]:
    return AccountCommitment.objects.select_related("meter").prefetch_related("draws")
