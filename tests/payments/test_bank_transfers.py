"""Finance staff record a bank transfer: once, in the account's currency, what is open first."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import override_settings

from accounts import outbox_relay
from accounts.approvals import decide, submit
from accounts.audit import person
from accounts.errors import (
    AccountNotReady,
    AmountInvalid,
    ApprovalRequired,
    CurrencyMismatch,
    Forbidden,
    NotFound,
    ReasonRequired,
    TimeInvalid,
)
from accounts.models import AuditLog, BillingAccount, OutboxMessage, Phase
from ledger.balances import balance
from ledger.models import LedgerEntry, LedgerTransaction
from ledger.posting import Act, Line, post
from payments.bank_transfers import ACT, ReferenceInvalid, ReferenceUsed, describe, payload, record_transfer
from payments.models import BankTransfer
from payments.providers.contract import NotOffered
from tests.accounts.test_currencies import NOT_AMOUNTS
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, successes
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, refused_by

TODAY = NOON.date()


def proposal(account: BillingAccount, amount_minor: object = 5000, **changes: Any) -> dict[str, Any]:
    values = {"currency": account.currency, "value_date": TODAY, "reference": "REF 1", **changes}
    return payload(account, amount_minor=amount_minor, **values)


def record(cast: Cast, account: BillingAccount, amount_minor: object = 5000, **changes: Any) -> BankTransfer:
    result = record_transfer(
        proposal(account, amount_minor, **changes), actor=person(cast.dana), reason="arrived", at=NOON
    )
    return BankTransfer.objects.get(pk=result["bank_transfer"])


def owe(account: BillingAccount, amount_minor: int) -> None:
    """An open receivable, as an invoice would leave it."""
    lines = [Line("receivable", -amount_minor, "invoice"), Line("usage_revenue", amount_minor, "invoice")]
    post(account, Act("invoice:1", "invoice", lines, ("billing_account", account.pk)), actor=ACTOR, at=NOON)


def lines(transfer: BankTransfer) -> dict[str, int]:
    entries = LedgerEntry.objects.filter(transaction=transfer.transaction)
    return dict(entries.values_list("ledger_account__kind", "amount_minor"))


def nothing_written() -> bool:
    return not (LedgerTransaction.objects.exists() or BankTransfer.objects.exists())


def test_a_transfer_fills_a_prepaid_wallet(cast: Cast) -> None:
    transfer = record(cast, cast.prepaid)
    assert lines(transfer) == {"bank": -5000, "wallet": 5000}
    assert transfer.transaction.business_key == "transfer:REF 1"
    assert (transfer.value_date, transfer.recorded_by, transfer.legal_entity) == (TODAY, cast.dana, cast.entity)
    assert balance(cast.prepaid).amount_minor == 5000


@pytest.mark.parametrize(
    ("owed_minor", "paid_minor", "expected"),
    [
        (0, 5000, {"wallet": 5000}),
        (3000, 5000, {"receivable": 3000, "wallet": 2000}),
        (5000, 5000, {"receivable": 5000}),
        (8000, 5000, {"receivable": 5000}),
    ],
)
def test_a_postpaid_customer_pays_what_is_open_first(
    cast: Cast, owed_minor: int, paid_minor: int, expected: dict[str, int]
) -> None:
    if owed_minor:
        owe(cast.postpaid, owed_minor)
    transfer = record(cast, cast.postpaid, paid_minor)
    assert lines(transfer) == {"bank": -paid_minor, **expected}
    assert balance(cast.postpaid).amount_minor == paid_minor - owed_minor


def test_a_second_transfer_pays_what_the_first_left_open(cast: Cast) -> None:
    owe(cast.postpaid, 8000)
    record(cast, cast.postpaid, 5000)
    assert lines(record(cast, cast.postpaid, 5000, reference="REF 2")) == {
        "bank": -5000,
        "receivable": 3000,
        "wallet": 2000,
    }
    assert lines(record(cast, cast.postpaid, 100, reference="REF 3")) == {"bank": -100, "wallet": 100}


def test_a_transfer_is_audited_published_and_told_to_the_owner(cast: Cast) -> None:
    owe(cast.postpaid, 8000)
    transfer = record(cast, cast.postpaid)
    row = AuditLog.objects.get(action="payments.record_transfer")
    assert (row.actor, row.reason, row.subject_id) == (cast.dana, "arrived", transfer.pk)
    assert (row.old_balance, row.new_balance) == (-8000, -3000)
    message = OutboxMessage.objects.get(topic="payments.balance_credited")
    assert message.payload["amount_minor"] == 5000
    assert message.payload["bank_transfer"] == transfer.public_id
    outbox_relay.drain(NOON)
    (sent,) = mail.outbox
    assert sent.to == [cast.alice.email]
    assert "50.00 USD" in sent.body


@pytest.mark.parametrize("reference", ["REF 1", " REF 1 "])
def test_a_reference_is_used_once_for_whichever_account(cast: Cast, reference: str) -> None:
    record(cast, cast.prepaid)
    for account in (cast.prepaid, cast.postpaid):
        with pytest.raises(ReferenceUsed) as refused:
            record(cast, account, 700, reference=reference)
        assert (refused.value.code, refused.value.field, refused.value.status) == ("reference_used", "reference", 409)
    assert BankTransfer.objects.count() == LedgerTransaction.objects.count() == 1
    assert AuditLog.objects.filter(action="payments.record_transfer").count() == 1


def test_a_reference_recorded_by_two_people_at_once_is_credited_once(committed_db: str, cast: Cast) -> None:
    accounts = [cast.prepaid, cast.postpaid] * 3
    results = race(*[lambda account=account: record(cast, account) for account in accounts])
    assert len(successes(results)) == 1
    assert {type(error) for error in failures(results)} == {ReferenceUsed}
    assert BankTransfer.objects.count() == LedgerTransaction.objects.count() == 1
    assert balance(cast.prepaid).amount_minor + balance(cast.postpaid).amount_minor == 5000


@pytest.mark.parametrize("amount", NOT_AMOUNTS, ids=repr)
def test_what_is_no_amount_is_refused_with_nothing_written(cast: Cast, amount: object) -> None:
    with pytest.raises(AmountInvalid) as refused:
        record(cast, cast.prepaid, amount)
    assert refused.value.field == "amount_minor"
    past_the_form = {**proposal(cast.prepaid), "amount_minor": amount}
    with pytest.raises(AmountInvalid):
        record_transfer(past_the_form, actor=person(cast.dana), reason="arrived", at=NOON)
    assert nothing_written()


@pytest.mark.parametrize("amount_minor", [-1, "-5000"])
def test_a_transfer_never_takes_money(cast: Cast, amount_minor: object) -> None:
    with pytest.raises(AmountInvalid):
        record(cast, cast.prepaid, amount_minor)
    assert nothing_written()


@pytest.mark.parametrize("currency", ["EUR", "usd", "", "XXX", "JPY"])
def test_another_currency_than_the_accounts_is_refused_and_never_converted(cast: Cast, currency: str) -> None:
    with pytest.raises(CurrencyMismatch) as refused:
        record(cast, cast.prepaid, currency=currency)
    assert (refused.value.code, refused.value.field) == ("currency_mismatch", "currency")
    past_the_form = {**proposal(cast.prepaid), "currency": currency}
    with pytest.raises(CurrencyMismatch):
        record_transfer(past_the_form, actor=person(cast.dana), reason="arrived", at=NOON)
    assert nothing_written()


@pytest.mark.parametrize(
    "day", [date(1999, 12, 31), date(2200, 1, 1), date(9999, 12, 31), TODAY + timedelta(days=2)], ids=str
)
def test_a_value_date_out_of_range_or_in_the_future_is_refused(cast: Cast, day: date) -> None:
    with pytest.raises(TimeInvalid) as refused:
        record(cast, cast.prepaid, value_date=day)
    assert (refused.value.code, refused.value.field) == ("time_invalid", "value_date")
    assert nothing_written()


def test_a_value_date_of_last_year_or_of_a_place_where_it_is_tomorrow_is_taken(cast: Cast) -> None:
    record(cast, cast.prepaid, value_date=date(2025, 1, 2))
    record(cast, cast.prepaid, value_date=TODAY + timedelta(days=1), reference="REF 2")


@pytest.mark.parametrize(
    "at", [NOON.replace(tzinfo=None), datetime(9999, 12, 31, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC)], ids=repr
)
def test_a_moment_without_zone_or_out_of_range_is_refused(cast: Cast, at: datetime) -> None:
    with pytest.raises(TimeInvalid):
        record_transfer(proposal(cast.prepaid), actor=person(cast.dana), reason="arrived", at=at)
    assert nothing_written()


@pytest.mark.parametrize(
    "reference", ["", "  ", "ab", "x" * 121, "REF\n1", "REF\x001", "=SUM(A1)", "-REF", "REF-", "rëf 1", "<b>ref</b>"]
)
def test_a_reference_that_no_bank_wrote_is_refused(cast: Cast, reference: str) -> None:
    with pytest.raises(ReferenceInvalid) as refused:
        record(cast, cast.prepaid, reference=reference)
    assert (refused.value.code, refused.value.field) == ("reference_invalid", "reference")


@pytest.mark.parametrize("reference", ["abc", "x" * 120, "RF18 5390/0754-7034", "2026.03:10_a+b"])
def test_a_reference_as_banks_write_it_is_taken(cast: Cast, reference: str) -> None:
    assert record(cast, cast.prepaid, reference=reference).reference == reference


def test_an_archived_account_takes_no_money_and_a_suspended_one_does(cast: Cast) -> None:
    cast.prepaid.phase = Phase.SUSPENDED
    cast.prepaid.save()
    record(cast, cast.prepaid)
    cast.prepaid.phase = Phase.ARCHIVED
    cast.prepaid.save()
    with pytest.raises(AccountNotReady) as refused:
        record(cast, cast.prepaid, reference="REF 2")
    assert (refused.value.code, refused.value.status) == ("account_not_ready", 409)
    assert BankTransfer.objects.count() == 1


def test_an_unknown_account_is_not_found(cast: Cast) -> None:
    unknown = {**proposal(cast.prepaid), "billing_account": 10**12}
    with pytest.raises(NotFound):
        record_transfer(unknown, actor=person(cast.dana), reason="arrived", at=NOON)
    with pytest.raises(NotFound):
        describe(unknown)


def test_a_transfer_needs_a_reason(cast: Cast) -> None:
    with pytest.raises(ReasonRequired):
        record_transfer(proposal(cast.prepaid), actor=person(cast.dana), reason=" ", at=NOON)
    assert nothing_written()


def test_without_payments_no_transfer_is_recorded(cast: Cast) -> None:
    with override_settings(BILLING_PROVIDER="none"), pytest.raises(NotOffered):
        record(cast, cast.prepaid)
    assert nothing_written()


def test_a_transfer_above_the_limit_waits_for_a_second_person(cast: Cast) -> None:
    wanted = proposal(cast.prepaid, 10_001)
    with pytest.raises(ApprovalRequired):
        record_transfer(wanted, actor=person(cast.dana), reason="arrived", at=NOON)
    request = submit(ACT, wanted, maker=cast.dana, reason="arrived", at=NOON).request
    assert request is not None
    assert nothing_written()
    assert request.summary == "Record transfer REF 1 of 100.01 USD for Acme prepaid"
    decided = decide(request.pk, checker=cast.erin, approve=True, note="", at=NOON)
    transfer = BankTransfer.objects.get(pk=decided.result["bank_transfer"])
    assert (transfer.amount_minor, transfer.recorded_by) == (10_001, cast.dana)
    assert balance(cast.prepaid).amount_minor == 10_001


def test_a_reference_used_while_the_request_waited_is_refused_at_the_decision(cast: Cast) -> None:
    request = submit(ACT, proposal(cast.prepaid, 10_001), maker=cast.dana, reason="arrived", at=NOON).request
    assert request is not None
    record(cast, cast.postpaid, 700)
    with pytest.raises(ReferenceUsed):
        decide(request.pk, checker=cast.erin, approve=True, note="", at=NOON)
    request.refresh_from_db()
    assert request.state == "pending"
    assert balance(cast.prepaid).amount_minor == 0


@pytest.mark.parametrize("who", ["alice", "erin"])
def test_only_an_operator_records_transfers(cast: Cast, who: str) -> None:
    with pytest.raises(Forbidden):
        submit(ACT, proposal(cast.prepaid), maker=getattr(cast, who), reason="arrived", at=NOON)
    assert nothing_written()


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("0, 'USD', 'REF 2'", "bank_transfer_amount_in_range"),
        ("-1, 'USD', 'REF 2'", "bank_transfer_amount_in_range"),
        ("1000000000000001, 'USD', 'REF 2'", "bank_transfer_amount_in_range"),
        ("1, NULL, 'REF 2'", "23502"),
        ("1, 'USD', 'REF 1'", "bank_transfer_reference_once"),
    ],
)
def test_the_database_refuses_a_transfer_that_is_none(cast: Cast, values: str, rule: str) -> None:
    transfer = record(cast, cast.prepaid)
    owe(cast.postpaid, 1)
    with refused_by(rule):
        execute(
            "INSERT INTO bank_transfers (amount_minor, currency, reference, billing_account_id, legal_entity_id,"
            f" value_date, recorded_by_id, recorded_at, transaction_id) SELECT {values}, billing_account_id,"
            " legal_entity_id, value_date, recorded_by_id, recorded_at,"
            " (SELECT max(id) FROM ledger_transactions) FROM bank_transfers"
        )
    with refused_by(NO_PRIVILEGE):
        execute("UPDATE bank_transfers SET amount_minor = 1 WHERE id = %s", [transfer.pk])


def test_a_transaction_of_the_book_is_one_transfer(cast: Cast) -> None:
    record(cast, cast.prepaid)
    with refused_by("bank_transfers_transaction_id_key"):
        execute(
            "INSERT INTO bank_transfers (amount_minor, currency, reference, billing_account_id, legal_entity_id,"
            " value_date, recorded_by_id, recorded_at, transaction_id) SELECT 1, 'USD', 'REF 2', billing_account_id,"
            " legal_entity_id, value_date, recorded_by_id, recorded_at, transaction_id FROM bank_transfers"
        )
