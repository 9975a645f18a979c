"""docs/postings.md is true: every line sums to zero, and every act that is built posts exactly its line."""

import re
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from accounts.audit import person
from accounts.models import BillingAccount
from ledger import accrual, adjustments, corrections, credits
from ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from ledger.posting import Act, Line, post
from ledger.top_ups import post_top_up, post_transfer
from quotas.allocations import start
from tests.cast import ACTOR, NOON, Cast
from tests.funding import fund
from tests.ledger.postings_table import Row, rows

ROWS = rows()
BUILT = [row for row in ROWS if row.built]
SETTLEMENTS = ("prepaid", "postpaid")

# Lines that name no amounts of their own.
WITHOUT_LINES = {
    "Correction": "its lines are those of any original, so it sums to zero because the original does",
}
ROOMS = ("accounts", "quotas", "ledger", "payments")
HERE = Path(__file__).parents[2]


@pytest.mark.parametrize("settlement", SETTLEMENTS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.act)
def test_every_line_of_the_table_sums_to_zero_per_currency(row: Row, settlement: str) -> None:
    if row.act in WITHOUT_LINES:
        assert row.cells[settlement] in {"every line of the original, sign reversed", "same"}
        return
    for posting in row.postings(settlement):
        assert len(posting) >= 2
        totals: Counter[tuple[str, str]] = Counter()
        for line in posting:
            for symbol, count in line.amount.items():
                totals[line.currency, symbol] += count
        assert {key: total for key, total in totals.items() if total} == {}


def test_the_table_has_every_act_and_a_row_without_postings_says_so() -> None:
    assert len(ROWS) == 30
    empty = {
        (row.act.split(" ")[0], settlement)
        for row in ROWS
        for settlement in SETTLEMENTS
        if row.act not in WITHOUT_LINES and not row.postings(settlement)
    }
    assert empty == {
        ("Balance", "prepaid"),
        ("Payment", "prepaid"),
        ("Waived", "prepaid"),
        ("Waived", "postpaid"),
    }


@pytest.mark.django_db
def test_every_kind_of_the_table_is_one_the_database_knows() -> None:
    kinds = {
        kind
        for row in ROWS
        if row.act not in WITHOUT_LINES
        for settlement in SETTLEMENTS
        for posting in row.postings(settlement)
        for line in posting
        for kind in line.kinds
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ledger_account_kind_is_known'"
        )
        known = set(re.findall(r"'([a-z_]+)'", cursor.fetchone()[0]))
    assert kinds == known


def test_the_acts_marked_built_are_those_the_code_posts() -> None:
    written = set()
    for room in ROOMS:
        for path in (HERE / room).rglob("*.py"):
            text = path.read_text()
            if "from ledger.posting import" in text:
                written |= set(re.findall(r'f"([a-z_]+):\{', text))
        for path in (HERE / room).rglob("*.sql"):
            written |= set(re.findall(r"'([a-z_]+):' \|\|", path.read_text()))
    assert written == {row.business_key.strip("`").split(":")[0] for row in BUILT}


@pytest.mark.parametrize("settlement", SETTLEMENTS)
@pytest.mark.parametrize("row", BUILT, ids=lambda row: row.act)
def test_a_built_act_posts_exactly_its_line(cast: Cast, row: Row, settlement: str) -> None:
    account = cast.prepaid if settlement == "prepaid" else cast.postpaid
    prefix = row.business_key.strip("`").split(":")[0]
    transaction, symbols = POSTED_BY[prefix](cast, account)
    assert transaction.business_key.startswith(f"{prefix}:")
    assert transaction.entries.count() >= 2
    assert {entry.currency for entry in transaction.entries.all()} == {account.currency}
    assert sum(entry.amount_minor for entry in transaction.entries.all()) == 0
    if prefix == "correct":
        original = LedgerTransaction.objects.get(pk=symbols["original"])
        assert _by_kind(transaction) == {kind: -amount for kind, amount in _by_kind(original).items()}
        return
    (posting,) = row.postings(settlement)
    expected = {line.kinds[0]: line.value(symbols) for line in posting}
    assert _by_kind(transaction) == expected


Posted = tuple[LedgerTransaction, dict[str, int]]


def _top_up(cast: Cast, account: BillingAccount) -> Posted:
    posted = post_top_up(
        account, amount_minor=5000, tax_minor=950, provider="manual", session_id=7, actor=ACTOR, at=NOON
    )
    return LedgerTransaction.objects.get(pk=posted.transaction_id), {"A": 5000, "T": 950}


def _transfer(cast: Cast, account: BillingAccount) -> Posted:
    owed = [Line("receivable", -300, "invoice"), Line("usage_revenue", 300, "invoice")]
    post(account, Act("invoice:1", "invoice", owed, ("billing_account", account.pk)), actor=ACTOR, at=NOON)
    posted = post_transfer(account, amount_minor=1000, bank_reference="REF 1", actor=ACTOR, at=NOON)
    return LedgerTransaction.objects.get(pk=posted.transaction_id), {"A": 1000, "o": 300}


def _usage(cast: Cast, account: BillingAccount) -> Posted:
    project = cast.project if account == cast.prepaid else cast.postpaid_project
    fund(cast.prepaid)
    start(project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    start(project, cast.gpu, quantity="3", actor=ACTOR, at=NOON)
    accrual.drain(NOON.replace(minute=2))
    transaction = LedgerTransaction.objects.get(kind="usage")
    assert transaction.entries.filter(ledger_account__chained=True).count() == 4  # one debit per usage record
    return transaction, {"c": 33}  # 2.50 × 4 × 2 / 60 = 8 + 25 cents


def _adjustment(cast: Cast, account: BillingAccount) -> Posted:
    proposal = adjustments.payload(account, 250, "USD")
    result = adjustments.adjust(proposal, actor=person(cast.dana), reason="goodwill", at=NOON)
    return LedgerTransaction.objects.get(pk=result["transaction"]), {"X": 250}


def _grant(cast: Cast, account: BillingAccount) -> Posted:
    proposal = credits.payload(account, 700, "USD")
    result = credits.grant_credit(proposal, actor=person(cast.dana), reason="a trial", at=NOON)
    return LedgerTransaction.objects.get(pk=result["transaction"]), {"G": 700}


def _correction(cast: Cast, account: BillingAccount) -> Posted:
    original, _ = _top_up(cast, account)
    result = corrections.correct(corrections.payload(original), actor=person(cast.dana), reason="booked twice", at=NOON)
    return LedgerTransaction.objects.get(pk=result["transaction"]), {"original": original.pk}


POSTED_BY = {
    "topup": _top_up,
    "transfer": _transfer,
    "usage": _usage,
    "adjust": _adjustment,
    "correct": _correction,
    "grant": _grant,
}


def _by_kind(transaction: LedgerTransaction) -> dict[str, int]:
    sums: Counter[str] = Counter()
    kinds = dict(LedgerAccount.objects.values_list("pk", "kind"))
    for entry in LedgerEntry.objects.filter(transaction=transaction):
        sums[kinds[entry.ledger_account_id]] += entry.amount_minor
    return dict(sums)
