"""Posting: whole, once, chained, and never below a wallet's floor."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from accounts import correlation
from accounts.audit import person
from accounts.errors import AmountInvalid, TimeInvalid
from accounts.lifecycle import open_billing_account
from accounts.models import BillingAccount
from ledger import daily_totals
from ledger.balances import balance, balances
from ledger.errors import AlreadyPosted, InsufficientBalance, Unbalanced
from ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from ledger.posting import Act, Line, Posted, post
from tests.cast import ACTOR, NOON, Cast

LIMIT = 10**15


def act(key: str, *lines: Line, floor: bool = True) -> Act:
    return Act(key, "adjustment", lines, ("test", 1), wallet_floor=floor)


def move(account: BillingAccount, amount_minor: int, key: str = "test:1", *, floor: bool = True) -> Posted:
    """From our bank to the wallet."""
    lines = (Line("wallet", amount_minor, "transfer"), Line("bank", -amount_minor, "transfer"))
    return post(account, act(key, *lines, floor=floor), actor=ACTOR, at=NOON)


def owned(account: BillingAccount) -> int:
    return balance(account).amount_minor


def test_a_posting_writes_one_transaction_with_its_lines(cast: Cast) -> None:
    with correlation.bind("request-7"):
        posted = post(
            cast.prepaid,
            act("test:1", Line("wallet", 500, "transfer", metadata={"note": "x"}), Line("bank", -500, "transfer")),
            actor=person(cast.dana),
            at=NOON,
        )
    written = LedgerTransaction.objects.get(pk=posted.transaction_id)
    assert (written.business_key, written.actor, written.correlation_id, written.effective_at) == (
        "test:1",
        f"user:{cast.dana.pk}",
        "request-7",
        NOON,
    )
    wallet, bank = written.entries.order_by("-amount_minor")
    assert (wallet.account_seq, wallet.balance_after, wallet.currency, wallet.metadata) == (
        1,
        500,
        "USD",
        {"note": "x"},
    )
    assert (bank.account_seq, bank.balance_after, bank.billing_account) == (None, None, cast.prepaid)
    assert posted.balances == {"wallet": 500}


def test_each_entry_of_a_wallet_goes_on_from_the_one_before(cast: Cast) -> None:
    for step, amount_minor in enumerate((500, -200, 1, -301)):
        move(cast.prepaid, amount_minor, f"test:{step}")
    chain = LedgerEntry.objects.filter(ledger_account__kind="wallet").order_by("account_seq")
    assert list(chain.values_list("account_seq", "balance_after")) == [(1, 500), (2, 300), (3, 301), (4, 0)]


def test_two_lines_of_one_account_in_one_posting_are_chained(cast: Cast) -> None:
    lines = (
        Line("usage_revenue", -300, "refund"),
        Line("wallet", 300, "refund"),
        Line("wallet", -300, "refund"),
        Line("held", 300, "refund"),
    )
    posted = post(cast.prepaid, act("refund:1:hold", *lines), actor=ACTOR, at=NOON)
    assert posted.balances == {"wallet": 0, "held": 300}
    chain = LedgerEntry.objects.filter(ledger_account__kind="wallet").order_by("account_seq")
    assert list(chain.values_list("account_seq", "balance_after")) == [(1, 300), (2, 0)]


def test_money_is_written_once_for_each_business_key(cast: Cast) -> None:
    move(cast.prepaid, 500)
    for account in (cast.prepaid, cast.foreign):
        with pytest.raises(AlreadyPosted) as refused:
            attempt(account)
        assert (refused.value.code, refused.value.status) == ("already_posted", 409)
    assert owned(cast.prepaid) == 500
    assert LedgerTransaction.objects.count() == 1


def attempt(account: BillingAccount) -> Posted:
    """As an act does it: in a transaction of its own."""
    with transaction.atomic():
        return move(account, 500)


def test_lines_that_do_not_sum_to_zero_never_reach_the_database(cast: Cast) -> None:
    for lines in (
        (Line("wallet", 500, "transfer"), Line("bank", -499, "transfer")),
        (Line("wallet", 500, "transfer"),),
        (Line("wallet", 0, "transfer"),),
        (),
    ):
        with pytest.raises(Unbalanced):
            post(cast.prepaid, act("test:1", *lines), actor=ACTOR, at=NOON)
    assert not LedgerTransaction.objects.exists()


@pytest.mark.parametrize("amount_minor", [LIMIT + 1, 2 * LIMIT])
def test_a_line_beyond_the_range_is_refused(cast: Cast, amount_minor: int) -> None:
    with pytest.raises(AmountInvalid):
        move(cast.prepaid, amount_minor)


def test_a_line_of_zero_is_refused(cast: Cast) -> None:
    lines = (Line("wallet", 0, "transfer"), Line("bank", 5, "transfer"), Line("clearing", -5, "transfer"))
    with pytest.raises(AmountInvalid):
        post(cast.prepaid, act("test:1", *lines), actor=ACTOR, at=NOON)


@pytest.mark.parametrize("at", [NOON.replace(tzinfo=None), datetime(9999, 12, 31, tzinfo=UTC)])
def test_a_moment_that_cannot_be_meant_is_refused(cast: Cast, at: datetime) -> None:
    with pytest.raises(TimeInvalid):
        post(cast.prepaid, act("test:1", Line("wallet", 5, "tax"), Line("bank", -5, "tax")), actor=ACTOR, at=at)


@pytest.mark.parametrize("spent", [1, 500])
def test_a_wallet_is_spent_down_to_zero(cast: Cast, spent: int) -> None:
    move(cast.prepaid, 500)
    move(cast.prepaid, -spent, "test:2")
    assert owned(cast.prepaid) == 500 - spent


def test_a_wallet_is_not_spent_below_zero(cast: Cast) -> None:
    move(cast.prepaid, 500)
    with pytest.raises(InsufficientBalance) as refused:
        move(cast.prepaid, -501, "test:2")
    assert (refused.value.code, refused.value.field, refused.value.status) == (
        "insufficient_balance",
        "amount_minor",
        409,
    )
    assert owned(cast.prepaid) == 500


def test_an_empty_wallet_has_nothing_to_spend(cast: Cast) -> None:
    with pytest.raises(InsufficientBalance):
        move(cast.prepaid, -1)
    assert not LedgerTransaction.objects.exists()


def test_what_usage_took_below_zero_is_filled_by_any_credit_and_by_no_debit(cast: Cast) -> None:
    move(cast.prepaid, -700, floor=False)
    move(cast.prepaid, 100, "test:2")
    assert owned(cast.prepaid) == -600
    with pytest.raises(InsufficientBalance):
        move(cast.prepaid, -1, "test:3")


def test_only_a_wallet_has_a_floor(cast: Cast) -> None:
    lines = (Line("unbilled", -900, "usage"), Line("usage_revenue", 900, "usage"))
    post(cast.postpaid, act("test:1", *lines), actor=ACTOR, at=NOON)
    assert owned(cast.postpaid) == -900


def test_balances_of_many_accounts_are_read_in_one_query(
    cast: Cast, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    move(cast.prepaid, 500)
    move(cast.foreign, 70, "test:2")
    accounts = [cast.prepaid, cast.postpaid, cast.foreign]
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = balances(accounts)
    assert [found[account.pk].amount_minor for account in accounts] == [500, 0, 70]


def test_a_postpaid_balance_is_what_is_owed_and_a_hold_is_not_counted(cast: Cast) -> None:
    lines = (
        Line("unbilled", -900, "usage"),
        Line("receivable", -300, "invoice"),
        Line("wallet", 250, "transfer"),
        Line("held", 40, "refund"),
        Line("bank", 910, "transfer"),
    )
    post(cast.postpaid, act("test:1", *lines), actor=ACTOR, at=NOON)
    found = balance(cast.postpaid)
    assert found.amount_minor == -950
    assert found.kinds == {"unbilled": -900, "receivable": -300, "wallet": 250, "held": 40}


def test_the_balance_is_the_sum_of_the_entries(cast: Cast) -> None:
    for step, amount_minor in enumerate((500, -200, 1, 77)):
        move(cast.prepaid, amount_minor, f"test:{step}")
        entries = LedgerEntry.objects.filter(ledger_account__kind="wallet")
        assert owned(cast.prepaid) == sum(entries.values_list("amount_minor", flat=True))


def test_an_account_of_the_book_is_opened_once_for_each_detail_and_currency(cast: Cast) -> None:
    euros = open_billing_account(
        cast.acme, cast.entity, "Euros", currency="EUR", settlement="prepaid", actor=ACTOR, at=NOON
    )
    for step, (account, provider) in enumerate(
        ((cast.prepaid, "stripe"), (cast.foreign, "stripe"), (cast.prepaid, "whmcs"), (euros, "stripe"))
    ):
        lines = (Line("clearing", -5, "topup", detail=provider), Line("wallet", 5, "topup"))
        post(account, act(f"test:{step}", *lines), actor=ACTOR, at=NOON)
    clearing = LedgerAccount.objects.filter(kind="clearing").values_list("detail", "currency")
    assert sorted(clearing) == [("stripe", "EUR"), ("stripe", "USD"), ("whmcs", "USD")]
    assert LedgerAccount.objects.filter(kind="wallet").count() == 3


def test_each_act_counts_into_the_day_of_its_legal_entity(cast: Cast) -> None:
    """The legal entity is in New York: at 03:00 UTC its day is still the one before."""
    early = NOON.replace(hour=3)
    for step, at in enumerate((early, NOON)):
        lines = (Line("wallet", 100, "transfer"), Line("bank", -100, "transfer"))
        post(cast.prepaid, act(f"test:{step}", *lines), actor=ACTOR, at=at)
    yesterday, today = (NOON - timedelta(days=1)).date(), NOON.date()
    expected = [
        (day, kind, "USD", amount_minor, 1)
        for day in (yesterday, today)
        for kind, amount_minor in (("bank", -100), ("wallet", 100))
    ]

    def read() -> list[tuple[object, ...]]:
        rows = daily_totals.read(yesterday, today, ["bank", "wallet"])
        return [(row.day, row.kind, row.currency, row.sum_minor, row.entry_count) for row in rows]

    assert read() == expected
    assert daily_totals.fold() == 4
    assert daily_totals.fold() == 0
    assert read() == expected
