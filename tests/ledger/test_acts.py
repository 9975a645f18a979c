"""The acts of the book: top-up, transfer, adjustment, correction; what each refuses and what it leaves behind."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.approvals import decide, submit
from accounts.audit import Actor, person
from accounts.errors import (
    AmountInvalid,
    ApprovalRequired,
    Conflict,
    CurrencyMismatch,
    NotFound,
    ReasonRequired,
)
from accounts.models import AuditLog, BillingAccount
from ledger import accrual, adjustments, corrections
from ledger.balances import balance
from ledger.errors import AlreadyPosted, InsufficientBalance
from ledger.models import LedgerEntry, LedgerTransaction, UsageRecord
from ledger.posting import Posted
from ledger.top_ups import post_top_up
from quotas.allocations import start
from tests.accounts.test_currencies import NOT_AMOUNTS
from tests.cast import ACTOR, NOON, Cast

LATER = NOON + timedelta(hours=1)


def top_up(account: BillingAccount, amount_minor: int = 5000, *, session: int = 1, tax_minor: int = 0) -> Posted:
    return post_top_up(
        account,
        amount_minor=amount_minor,
        tax_minor=tax_minor,
        provider="manual",
        session_id=session,
        actor=ACTOR,
        at=NOON,
    )


def adjust(cast: Cast, amount_minor: int, account: BillingAccount | None = None) -> dict[str, Any]:
    proposal = adjustments.payload(account or cast.prepaid, amount_minor, "USD")
    return adjustments.adjust(proposal, actor=dana(cast), reason="goodwill", at=NOON)


def correct(cast: Cast, transaction_id: int) -> dict[str, Any]:
    return corrections.correct({"transaction": transaction_id}, actor=dana(cast), reason="booked wrongly", at=LATER)


def dana(cast: Cast) -> Actor:
    return person(cast.dana)


def owned(account: BillingAccount) -> int:
    return balance(account).amount_minor


def lines(transaction_id: int) -> list[tuple[str, int, str]]:
    entries = LedgerEntry.objects.filter(transaction_id=transaction_id).order_by("id")
    return list(entries.values_list("ledger_account__kind", "amount_minor", "reason"))


def test_a_payment_is_credited_once_however_often_it_is_told(cast: Cast) -> None:
    top_up(cast.prepaid)
    with pytest.raises(AlreadyPosted), transaction.atomic():
        top_up(cast.prepaid)
    assert owned(cast.prepaid) == 5000
    top_up(cast.prepaid, session=2)
    assert owned(cast.prepaid) == 10_000


def test_tax_on_a_top_up_is_not_the_customers_money(cast: Cast) -> None:
    posted = top_up(cast.prepaid, tax_minor=950)
    assert lines(posted.transaction_id) == [
        ("clearing", -5950, "topup"),
        ("wallet", 5000, "topup"),
        ("tax_payable", 950, "tax"),
    ]


def test_an_advance_of_a_postpaid_customer_is_untaxed(cast: Cast) -> None:
    posted = top_up(cast.postpaid, tax_minor=950)
    assert lines(posted.transaction_id) == [("clearing", -5000, "topup"), ("wallet", 5000, "topup")]


@pytest.mark.parametrize("amount_minor", [0, -5, 10**15 + 1])
def test_a_top_up_of_no_amount_is_refused(cast: Cast, amount_minor: int) -> None:
    with pytest.raises(AmountInvalid):
        top_up(cast.prepaid, amount_minor)
    assert not LedgerTransaction.objects.exists()


@pytest.mark.parametrize("amount", NOT_AMOUNTS, ids=repr)
def test_an_adjustment_of_what_is_no_amount_is_refused_with_nothing_written(cast: Cast, amount: object) -> None:
    with pytest.raises(AmountInvalid) as refused:
        adjustments.payload(cast.prepaid, amount, "USD")
    assert refused.value.field == "amount_minor"
    past_the_form = {"billing_account": cast.prepaid.pk, "amount_minor": amount, "currency": "USD"}
    with pytest.raises(AmountInvalid):
        adjustments.adjust(past_the_form, actor=dana(cast), reason="goodwill", at=NOON)
    assert not LedgerTransaction.objects.exists()


def test_an_adjustment_moves_the_wallet_or_what_is_unbilled(cast: Cast) -> None:
    for account, kind in ((cast.prepaid, "wallet"), (cast.postpaid, "unbilled")):
        result = adjust(cast, 700, account)
        assert lines(result["transaction"]) == [(kind, 700, "adjustment"), ("allowances", -700, "adjustment")]
        assert result["balance_minor"] == owned(account) == 700


def test_adjustments_are_numbered_and_two_alike_are_two(cast: Cast) -> None:
    adjust(cast, 700)
    adjust(cast, 700)
    assert owned(cast.prepaid) == 1400
    keys = LedgerTransaction.objects.order_by("id").values_list("business_key", flat=True)
    first, second = (int(key.removeprefix("adjust:")) for key in keys)
    assert second > first


def test_an_adjustment_does_not_take_a_wallet_below_zero(cast: Cast) -> None:
    adjust(cast, 700)
    with pytest.raises(InsufficientBalance):
        adjust(cast, -701)
    adjust(cast, -700)
    assert owned(cast.prepaid) == 0


def test_an_adjustment_in_another_currency_is_refused(cast: Cast) -> None:
    with pytest.raises(CurrencyMismatch) as refused:
        adjustments.payload(cast.prepaid, 700, "EUR")
    assert refused.value.field == "currency"
    past_the_form = {"billing_account": cast.prepaid.pk, "amount_minor": 700, "currency": "EUR"}
    with pytest.raises(CurrencyMismatch):
        adjustments.adjust(past_the_form, actor=dana(cast), reason="goodwill", at=NOON)
    assert not LedgerTransaction.objects.exists()


def test_an_act_needs_a_reason_and_an_account_that_exists(cast: Cast) -> None:
    proposal = adjustments.payload(cast.prepaid, 700, "USD")
    with pytest.raises(ReasonRequired):
        adjustments.adjust(proposal, actor=dana(cast), reason="", at=NOON)
    with pytest.raises(NotFound):
        adjustments.adjust({**proposal, "billing_account": 10**12}, actor=dana(cast), reason="goodwill", at=NOON)
    with pytest.raises(NotFound):
        adjustments.describe({**proposal, "billing_account": 10**12})
    with pytest.raises(ReasonRequired):
        corrections.correct({"transaction": 1}, actor=dana(cast), reason="", at=NOON)
    assert not LedgerTransaction.objects.exists()


def test_a_correction_reverses_every_line_and_points_back_at_it(cast: Cast) -> None:
    original = top_up(cast.prepaid, tax_minor=950).transaction_id
    before = list(LedgerEntry.objects.filter(transaction_id=original).order_by("id").values())
    result = correct(cast, original)
    assert lines(result["transaction"]) == [
        ("clearing", 5950, "adjustment"),
        ("wallet", -5000, "adjustment"),
        ("tax_payable", -950, "adjustment"),
    ]
    reversed_ = LedgerEntry.objects.filter(transaction_id=result["transaction"]).order_by("id")
    assert [entry.metadata["corrects_entry_id"] for entry in reversed_] == [row["id"] for row in before]
    assert list(LedgerEntry.objects.filter(transaction_id=original).order_by("id").values()) == before
    assert owned(cast.prepaid) == 0
    row = AuditLog.objects.get(action="ledger.correct")
    assert (row.old_balance, row.new_balance, row.reason) == (5000, 0, "booked wrongly")
    assert row.after["corrects"] == original


def test_a_transaction_is_corrected_once(cast: Cast) -> None:
    original = top_up(cast.prepaid).transaction_id
    correct(cast, original)
    with pytest.raises(AlreadyPosted):
        correct(cast, original)
    assert LedgerTransaction.objects.count() == 2


def test_a_correction_is_corrected_by_a_correction(cast: Cast) -> None:
    original = top_up(cast.prepaid).transaction_id
    undone = correct(cast, original)["transaction"]
    correct(cast, undone)
    assert owned(cast.prepaid) == 5000


def test_a_correction_may_take_a_wallet_below_zero(cast: Cast) -> None:
    original = top_up(cast.prepaid).transaction_id
    adjust(cast, -4000)
    assert correct(cast, original)["balance_minor"] == owned(cast.prepaid) == -4000


def test_a_usage_run_is_corrected_and_its_usage_stays(cast: Cast) -> None:
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + timedelta(minutes=3))
    run = LedgerTransaction.objects.get(kind="usage")
    correct(cast, run.pk)
    assert owned(cast.postpaid) == 0
    assert UsageRecord.objects.count() == 3


def test_an_unknown_transaction_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound) as refused:
        correct(cast, 10**12)
    assert refused.value.field == "transaction"
    with pytest.raises(NotFound):
        corrections.describe({"transaction": 10**12})


def test_a_large_correction_waits_for_a_second_person(cast: Cast) -> None:
    original = top_up(cast.prepaid, 10_001).transaction_id
    with pytest.raises(ApprovalRequired):
        correct(cast, original)
    written = LedgerTransaction.objects.get(pk=original)
    request = submit(
        corrections.ACT, corrections.payload(written), maker=cast.dana, reason="booked wrongly", at=NOON
    ).request
    assert request is not None
    assert (request.amount_minor, request.billing_account) == (10_001, cast.prepaid)
    decide(request.pk, checker=cast.erin, approve=True, note="", at=LATER)
    assert owned(cast.prepaid) == 0
    assert AuditLog.objects.get(action="ledger.correct").after["checker"] == cast.erin.pk


def test_a_correction_made_while_the_request_waited_is_refused_at_the_decision(cast: Cast) -> None:
    original = LedgerTransaction.objects.get(pk=top_up(cast.prepaid, 10_001).transaction_id)
    requests = [
        submit(corrections.ACT, corrections.payload(original), maker=cast.dana, reason="wrong", at=NOON).request
        for _ in range(2)
    ]
    first, second = (request.pk for request in requests if request is not None)
    decide(first, checker=cast.erin, approve=True, note="", at=LATER)
    with pytest.raises(Conflict) as refused:
        decide(second, checker=cast.erin, approve=True, note="", at=LATER)
    assert refused.value.code == "already_posted"
    assert owned(cast.prepaid) == 0
