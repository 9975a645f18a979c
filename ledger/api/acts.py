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
from accounts.api.resources import Resource
from accounts.callers import Caller, visible
from accounts.errors import Forbidden
from accounts.models import User
from accounts.public_ids import encode
from ledger import adjustments, corrections, credits
from ledger.models import LedgerTransaction


class PostedOut(serializers.Serializer[Any]):
    transaction = serializers.CharField(help_text="Public id of what was posted.")


class Amount(Body):
    amount_minor = AmountMinor()
    currency = Text(max_length=3)
    reason = Text()


class Correct(Body):
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
        maker = operator(self.caller)
        found = account_named(accounts_of(self.caller), account)
        proposal = credits.payload(found, given["amount_minor"], given["currency"])
        return posted(approvals.submit(credits.ACT, proposal, maker=maker, reason=given["reason"], at=at))


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
        maker = operator(self.caller)
        found = account_named(accounts_of(self.caller), account)
        proposal = adjustments.payload(found, given["amount_minor"], given["currency"])
        return posted(approvals.submit(adjustments.ACT, proposal, maker=maker, reason=given["reason"], at=at))


class Correction(Resource):
    @act(
        "Reverse a transaction",
        needs=READ_BILLING,
        staff="operate",
        takes=Correct,
        answers=PostedOut,
        status=201,
        money=True,
        also=_STAFF,
    )
    def post(self, given: dict[str, Any], *, at: datetime, transaction: str) -> Any:
        """Once, by a new transaction whose lines name what they correct. For finance-operators."""
        maker = operator(self.caller)
        rows = visible(
            LedgerTransaction.objects.distinct(),
            self.caller,
            READ_BILLING,
            organization="entries__billing_account__organization_id",
        )
        original = named(rows, transaction, what="transaction")
        proposal = corrections.payload(original)
        return posted(approvals.submit(corrections.ACT, proposal, maker=maker, reason=given["reason"], at=at))


def operator(caller: Caller) -> User:
    """The member of staff who acts. Raises Forbidden."""
    caller.require_staff("operate")
    if caller.user is None:
        raise Forbidden("that is done by a person")
    return caller.user


def posted(outcome: approvals.Outcome) -> Any:
    result = outcome.result or {}
    done = {"transaction": encode(LedgerTransaction.PUBLIC_PREFIX, result["transaction"])} if result else None
    return answer_of(outcome, done)
