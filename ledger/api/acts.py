"""What staff do to an account's money: credit, adjust, correct. Above a limit it waits for a second person."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from accounts import approvals
from accounts.abilities import READ_BILLING
from accounts.api.approval_answers import WaitingOut, answer_of
from accounts.api.billing_account_names import account_named, accounts_of
from accounts.api.fields import AmountMinor, Body, Text
from accounts.api.naming import named
from accounts.api.operations import act
from accounts.api.reasons import WithReason
from accounts.api.resources import Resource
from accounts.callers import visible
from accounts.public_ids import encode
from ledger import adjustments, corrections, credits
from ledger.models import LedgerTransaction


class PostedOut(serializers.Serializer[Any]):
    transaction = serializers.CharField(help_text="Public id of what was posted.")


class Amount(Body):
    amount_minor = AmountMinor()
    currency = Text(max_length=3)
    reason = Text()


_STAFF = {202: WaitingOut}


class Credit(Resource):
    @act(
        "Grant promotional credit",
        needs=READ_BILLING,
        staff="operate",
        takes=Amount,
        answers=PostedOut,
        status=201,
        money=True,
        also=_STAFF,
    )
    def post(self, given: dict[str, Any], *, at: datetime, account: str) -> Any:
        """For finance-operators."""
        return _proposed(self, credits, given, account, at)


class Adjustment(Resource):
    @act(
        "Adjust an account",
        needs=READ_BILLING,
        staff="operate",
        takes=Amount,
        answers=PostedOut,
        status=201,
        money=True,
        also=_STAFF,
    )
    def post(self, given: dict[str, Any], *, at: datetime, account: str) -> Any:
        """Credits or debits the customer; the other side is allowances. For finance-operators."""
        return _proposed(self, adjustments, given, account, at)


class Correction(Resource):
    @act(
        "Reverse a transaction",
        needs=READ_BILLING,
        staff="operate",
        takes=WithReason,
        answers=PostedOut,
        status=201,
        money=True,
        also=_STAFF,
    )
    def post(self, given: dict[str, Any], *, at: datetime, transaction: str) -> Any:
        """Once, by a new transaction whose lines name what they correct. For finance-operators."""
        rows = visible(
            LedgerTransaction.objects.distinct(),
            self.caller,
            READ_BILLING,
            organization="entries__billing_account__organization_id",
        )
        original = named(rows, transaction, what="transaction")
        return _submitted(self, corrections.ACT, corrections.payload(original), given["reason"], at)


def _proposed(view: Resource, kind: Any, given: dict[str, Any], account: str, at: datetime) -> Any:
    """An amount for an account, as `kind` (credits or adjustments) proposes it."""
    found = account_named(accounts_of(view.caller), account)
    proposal = kind.payload(found, given["amount_minor"], given["currency"])
    return _submitted(view, kind.ACT, proposal, given["reason"], at)


def _submitted(view: Resource, act_name: str, proposal: approvals.Payload, reason: str, at: datetime) -> Any:
    return _posted(approvals.submit(act_name, proposal, maker=view.caller.person(), reason=reason, at=at))


def _posted(outcome: approvals.Outcome) -> Any:
    result = outcome.result or {}
    done = {"transaction": encode(LedgerTransaction.PUBLIC_PREFIX, result["transaction"])} if result else None
    return answer_of(outcome, done)
