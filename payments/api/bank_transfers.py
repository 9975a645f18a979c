"""Bank transfers that finance staff record."""

from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts import approvals
from accounts.abilities import READ_BILLING
from accounts.api.approval_answers import WaitingOut, answer_of
from accounts.api.billing_account_names import accounts_of
from accounts.api.fields import AmountMinor, Body, Moment, PublicIdOf, Text
from accounts.api.naming import named, referred
from accounts.api.operations import act, listing, reading
from accounts.api.resources import Resource
from accounts.callers import Caller, visible
from accounts.errors import TimeInvalid
from accounts.models import BillingAccount
from accounts.public_ids import encode
from payments import bank_transfers
from payments.models import BankTransfer


class BankTransferOut(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    billing_account = serializers.SerializerMethodField()
    amount_minor = serializers.IntegerField(help_text="Minor units of the currency.")
    currency = serializers.CharField()
    value_date = serializers.DateField()
    reference = serializers.CharField()
    transaction = serializers.CharField(source="transaction.public_id")
    recorded_at = Moment()

    def get_billing_account(self, transfer: BankTransfer) -> str:
        return encode(BillingAccount.PUBLIC_PREFIX, transfer.billing_account_id)


class RecordTransfer(Body):
    billing_account = PublicIdOf(BillingAccount.PUBLIC_PREFIX, help_text="Public id.")
    amount_minor = AmountMinor(min_value=1)
    currency = Text(max_length=3)
    value_date = Text(max_length=10, help_text="Day on which the bank booked it: 2026-01-31.")
    reference = Text(max_length=120, help_text="The bank's own; recorded once.")
    reason = Text()


class BankTransfers(Resource):
    @listing("List bank transfers", needs=READ_BILLING, answers=BankTransferOut)
    def get(self) -> QuerySet[BankTransfer]:
        return _transfers_of(self.caller)

    @act(
        "Record a bank transfer",
        needs=READ_BILLING,
        staff="operate",
        takes=RecordTransfer,
        answers=BankTransferOut,
        status=201,
        money=True,
        also={202: WaitingOut},
    )
    def post(self, given: dict[str, Any], *, at: datetime) -> Any:
        """Money that arrived on our bank account. For finance-operators; above a limit a second person decides."""
        maker = self.caller.person()
        account = referred(accounts_of(self.caller), given["billing_account"], field="billing_account")
        proposal = bank_transfers.payload(
            account,
            amount_minor=given["amount_minor"],
            currency=given["currency"],
            value_date=_day(given["value_date"]),
            reference=given["reference"],
        )
        outcome = approvals.submit(bank_transfers.ACT, proposal, maker=maker, reason=given["reason"], at=at)
        key = (outcome.result or {}).get("bank_transfer")
        return answer_of(outcome, BankTransfer.objects.select_related("transaction").get(pk=key) if key else None)


class OneBankTransfer(Resource):
    @reading("Get a bank transfer", needs=READ_BILLING, answers=BankTransferOut)
    def get(self, transfer: str) -> BankTransfer:
        return named(_transfers_of(self.caller), transfer, what="bank transfer")


def _transfers_of(caller: Caller) -> QuerySet[BankTransfer]:
    rows = BankTransfer.objects.select_related("transaction")
    return visible(rows, caller, READ_BILLING, organization="billing_account__organization_id")


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        raise TimeInvalid("write the day as 2026-01-31", field="value_date") from None
