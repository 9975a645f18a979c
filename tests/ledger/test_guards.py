"""What the database itself refuses to the book, by plain SQL past every function of ours."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection

from accounts import one_time_tokens
from accounts.audit import person
from accounts.models import ExternalIdentity, TrustedIssuer
from accounts.policy import set_value
from billing_site.database_rules import KEPT
from billing_site.grants import APPEND, COLUMNS, granted, tables
from billing_site.roles import as_owner
from ledger import accrual, credits
from ledger.chart import open_ledger_account
from payments import bank_transfers
from quotas.account_commitments import draw_month
from quotas.allocations import request_release, start
from quotas.discount_uses import record_uses
from quotas.subscriptions import assign_plan
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import (
    NO_PRIVILEGE,
    NULL_REFUSED,
    Entry,
    execute,
    fetch,
    insert_entries,
    insert_transaction,
    insert_two,
    insert_whole,
    refused_by,
)
from tests.quotas.offer_scene import set_price_book
from tests.quotas.plans import publish as publish_catalog

LIMIT = 10**15


def append_only() -> list[str]:
    """From the list of grants: the tables to which the application role may only add."""
    return [table for table in tables() if granted(table) == APPEND or table in COLUMNS]


def fill(cast: Cast) -> None:
    """Leave at least one row in every append-only table, by the acts that write them."""
    set_value("billing.window_seconds", 60, scope="global", scope_id=None, actor=ACTOR, reason="test", at=NOON)
    one_time_tokens.spend(one_time_tokens.issue(cast.dana, "test"), cast.dana, "test", at=NOON)
    proposal = bank_transfers.payload(
        cast.prepaid, amount_minor=5000, currency="USD", value_date=NOON.date(), reference="REF 1"
    )
    bank_transfers.record_transfer(proposal, actor=person(cast.dana), reason="arrived", at=NOON)
    issuer = TrustedIssuer.objects.create(
        issuer="https://id.example",
        jwks_uri="https://id.example/keys",
        audience="us",
        algorithms=["RS256"],
        created_at=NOON,
    )
    ExternalIdentity.objects.create(issuer=issuer, subject="1", user=cast.bob, created_at=NOON)
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON.replace(minute=2))
    request_release(allocation.pk, actor=ACTOR, at=NOON)
    start(cast.project, cast.gpu, quantity="1000", actor=ACTOR, at=NOON.replace(minute=3))
    accrual.drain(NOON.replace(minute=5))  # a depletion and its release requests
    credits.grant_credit(credits.payload(cast.prepaid, 700, "USD"), actor=person(cast.dana), reason="trial", at=NOON)
    publish_catalog()
    assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="for a test", at=NOON)
    book = set_price_book(cast, NOON)
    draw_month(book.commitment.pk, Decimal(10), actor=ACTOR, reason="for a test", at=NOON)
    used = {book.discount.public_id: 1}
    record_uses(cast.prepaid, book.offer, book.published.name, before={}, after=used, bill="1", at=NOON)
    execute(
        "INSERT INTO billing_provider_switches (provider, replaced, reason, switched_by_id, switched_at)"
        " VALUES ('none', 'manual', 'a test', %s, %s)",
        [cast.dana.pk, NOON],
    )
    execute(
        'INSERT INTO verification_runs (started_at, finished_at, "full", watermark, violations, violation_count)'
        " VALUES (%s, %s, false, 0, '[]', 0)",
        [NOON, NOON],
    )


def changes(table: str) -> list[str]:
    (column,) = fetch(
        "SELECT quote_ident(attname) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum LIMIT 1",
        [table],
    )[0]
    return [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"]


def test_append_only_tables_refuse_every_change_to_the_application_role_and_to_the_owner(
    committed_db: str, cast: Cast
) -> None:
    fill(cast)
    guarded = append_only()
    assert {"ledger_entries", "ledger_transactions", "usage_records", "audit_logs"} <= set(guarded)
    assert [table for table in guarded if not fetch(f"SELECT FROM {table} LIMIT 1")] == []
    for table in guarded:
        for statement in changes(table):
            with refused_by(NO_PRIVILEGE):
                execute(statement)
    with as_owner():
        partitions = [table for table in tables() if table.startswith("usage_records_")]
        for table in [*guarded, *partitions]:
            for statement in changes(table):
                filled = bool(fetch(f"SELECT FROM {table} LIMIT 1"))
                if filled or statement.startswith("TRUNCATE"):
                    with refused_by("append_only"):
                        execute(statement)


def test_kept_tables_refuse_to_lose_a_row(committed_db: str, cast: Cast) -> None:
    fill(cast)
    filled = [table for table in KEPT if fetch(f"SELECT FROM {table} LIMIT 1")]
    assert {"billing_accounts", "allocations", "accrual_cursors", "outbox_deliveries"} <= set(filled)
    for table in KEPT:
        _, delete, truncate = changes(table)
        for statement in (delete, truncate):
            with refused_by(NO_PRIVILEGE):
                execute(statement)
    with as_owner():
        for table in KEPT:
            _, delete, truncate = changes(table)
            for statement in [truncate, *([delete] if table in filled else [])]:
                with refused_by("append_only"):
                    execute(statement)


def test_nobody_may_pass_for_a_replica_to_silence_triggers(committed_db: str) -> None:
    with refused_by(NO_PRIVILEGE):
        execute("SET session_replication_role = replica")
    with as_owner(), refused_by(NO_PRIVILEGE):
        execute("SET session_replication_role = replica")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
        "DROP TRIGGER entries_are_whole ON ledger_entries",
        "ALTER TABLE ledger_entries DROP CONSTRAINT entry_amount_in_range",
        "DROP TABLE ledger_entries CASCADE",
        "CREATE TABLE mine (id int)",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET ROLE countinghouse_owner",
    ],
)
@pytest.mark.django_db
def test_the_application_role_cannot_take_a_guard_down(statement: str) -> None:
    with refused_by(NO_PRIVILEGE):
        execute(statement)


class Book:
    """A wallet, our bank and a balanced pair of entries between them."""

    def __init__(self, cast: Cast) -> None:
        entity, account = cast.entity, cast.prepaid
        self.wallet = open_ledger_account(entity, "wallet", "USD", account_id=account.pk).pk
        self.bank = open_ledger_account(entity, "bank", "USD").pk
        self.euros = open_ledger_account(entity, "bank", "EUR").pk
        self.account = account.pk
        self.credit = Entry(self.wallet, 500, self.account, seq=1, balance_after=500)
        self.debit = Entry(self.bank, -500, self.account)

    def pair(self, amount_minor: int) -> tuple[Entry, Entry]:
        credit = replace(self.credit, amount_minor=amount_minor, balance_after=amount_minor)
        return credit, replace(self.debit, amount_minor=-amount_minor)


@pytest.fixture
def book(cast: Cast) -> Book:
    return Book(cast)


def test_a_whole_transaction_is_taken(book: Book) -> None:
    insert_whole("raw:1", book.credit, book.debit)
    assert fetch("SELECT sum(amount_minor), count(*) FROM ledger_entries") == [(0, 2)]


def test_entries_that_do_not_sum_to_zero_are_refused(book: Book) -> None:
    with refused_by("entries_sum_to_zero"):
        insert_whole("raw:1", book.credit, replace(book.debit, amount_minor=-499))


def test_entries_must_sum_to_zero_in_each_currency(book: Book) -> None:
    with refused_by("entries_sum_to_zero"):
        insert_whole("raw:1", book.credit, replace(book.debit, ledger_account=book.euros, currency="EUR"))


def test_the_two_sides_must_arrive_in_one_statement(book: Book) -> None:
    with refused_by("entries_sum_to_zero"):
        number = insert_whole("raw:1", book.credit)
        insert_entries(number, book.debit)


def test_two_transactions_do_not_balance_each_other(book: Book) -> None:
    five, minus_five = replace(book.debit, amount_minor=5), replace(book.debit, amount_minor=-5)
    with refused_by("entries_sum_to_zero"):
        insert_two([five], [minus_five])


def test_a_transaction_without_entries_is_refused_at_once(book: Book) -> None:
    with refused_by("transaction_has_entries"):
        insert_transaction("raw:1")


def test_one_with_entries_does_not_stand_for_one_without(book: Book) -> None:
    with refused_by("transaction_has_entries"):
        insert_two([book.credit, book.debit], [])


def test_an_empty_transaction_never_commits(committed_db: str, cast: Cast) -> None:
    with refused_by("transaction_has_entries"):
        insert_transaction("raw:1")
    assert fetch("SELECT count(*) FROM ledger_transactions") == [(0,)]


def test_a_transaction_is_closed_once_committed(committed_db: str, cast: Cast) -> None:
    book = Book(cast)
    number = insert_whole("raw:1", book.credit, book.debit)
    more = replace(book.credit, seq=2, balance_after=1000)
    with refused_by("transaction_is_closed"):
        insert_entries(number, more, book.debit)
    with as_owner(), refused_by("transaction_is_closed"):
        insert_entries(number, more, book.debit)


def test_an_entry_needs_a_transaction_that_exists(book: Book) -> None:
    with refused_by("transaction_is_closed"):
        insert_entries(10**12, book.credit, book.debit)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"seq": 2}, "chain_is_unbroken"),
        ({"balance_after": 501}, "chain_is_unbroken"),
        ({"balance_after": 0}, "chain_is_unbroken"),
        ({"seq": 0}, "entry_chain_is_whole"),
        ({"seq": -1}, "entry_chain_is_whole"),
        ({"balance_after": None}, "entry_chain_is_whole"),
        ({"seq": None}, "entry_chain_is_whole"),  # a NULL in a CHECK is no refusal unless it says so
        ({"seq": None, "balance_after": None}, "entry_fits_its_account"),
        ({"billing_account": None}, "entry_chain_is_whole"),
        ({"currency": None}, NULL_REFUSED),
        ({"currency": "EUR"}, "entry_fits_its_account"),
        ({"currency": "usd"}, "entry_fits_its_account"),
        ({"reason": "because"}, "entry_reason_is_known"),
    ],
)
def test_a_customer_entry_that_is_not_right_is_refused(book: Book, change: dict[str, object], rule: str) -> None:
    credit = replace(book.credit, **change)  # type: ignore[arg-type]
    debit = replace(book.debit, currency=credit.currency) if rule == "entry_fits_its_account" else book.debit
    with refused_by(rule):
        insert_whole("raw:1", credit, debit)


def test_a_customer_entry_belongs_to_the_account_of_its_wallet(book: Book, cast: Cast) -> None:
    with refused_by("entry_fits_its_account"):
        insert_whole("raw:1", replace(book.credit, billing_account=cast.foreign.pk), book.debit)


def test_a_system_account_has_no_sequence(book: Book) -> None:
    with refused_by("entry_fits_its_account"):
        insert_whole("raw:1", book.credit, replace(book.debit, seq=1, balance_after=-500))


def test_a_system_account_has_no_running_balance(book: Book) -> None:
    with refused_by("entry_chain_is_whole"):
        insert_whole("raw:1", book.credit, replace(book.debit, balance_after=-500))


def test_the_second_entry_of_a_chain_goes_on_from_the_first(book: Book) -> None:
    insert_whole("raw:1", book.credit, book.debit)
    for wrong, rule in (
        ({"seq": 1, "balance_after": 500}, "entry_seq_once_per_account"),
        ({"seq": 3, "balance_after": 1000}, "chain_is_unbroken"),
        ({"seq": 2, "balance_after": 500}, "chain_is_unbroken"),
    ):
        with refused_by(rule):
            insert_whole("raw:2", replace(book.credit, **wrong), book.debit)
    insert_whole("raw:2", replace(book.credit, seq=2, balance_after=1000), book.debit)


def test_a_chain_broken_inside_one_statement_is_refused(book: Book) -> None:
    double = replace(book.debit, amount_minor=-1000)
    second = replace(book.credit, seq=2, balance_after=999)
    with refused_by("chain_is_unbroken"):
        insert_whole("raw:1", book.credit, second, double)


@pytest.mark.parametrize("amount_minor", [0, LIMIT + 1, -LIMIT - 1])
def test_an_amount_of_zero_or_beyond_the_range_is_refused(book: Book, amount_minor: int) -> None:
    with refused_by("entry_amount_in_range"):
        insert_whole("raw:1", *book.pair(amount_minor))


@pytest.mark.parametrize("amount_minor", [1, -1, LIMIT, -LIMIT])
def test_amounts_at_the_edge_are_taken(book: Book, amount_minor: int) -> None:
    insert_whole("raw:1", *book.pair(amount_minor))


def test_a_business_key_is_used_once(book: Book) -> None:
    insert_whole("raw:1", book.credit, book.debit)
    with refused_by("business_key_once"):
        insert_transaction("raw:1")


@pytest.mark.parametrize(("column", "value"), [("born", "'1'::text::xid8"), ("created_at", "now()")])
@pytest.mark.django_db
def test_when_a_transaction_was_born_is_the_databases_to_say(column: str, value: str) -> None:
    with refused_by(NO_PRIVILEGE):
        execute(
            "INSERT INTO ledger_transactions"
            f" (business_key, kind, correlation_id, actor, effective_at, {column})"
            f" VALUES ('raw:1', 'adjustment', 'test', 'system:test', now(), {value})"
        )


@pytest.mark.parametrize(
    ("kind", "mine", "chained", "rule"),
    [
        ("savings", False, False, "ledger_account_kind_is_known"),
        ("wallet", False, False, "ledger_account_kind_is_known"),
        ("bank", True, True, "ledger_account_kind_is_known"),
        ("wallet", False, True, "customer_accounts_are_chained"),
        ("bank", True, False, "customer_accounts_are_chained"),
        ("bank", False, False, "one_ledger_account_of_a_kind"),
        ("wallet", True, True, "one_ledger_account_of_a_kind"),
    ],
)
def test_ledger_accounts_outside_the_chart_are_refused(
    book: Book, cast: Cast, kind: str, mine: bool, chained: bool, rule: str
) -> None:
    with refused_by(rule):
        execute(
            "INSERT INTO ledger_accounts (legal_entity_id, kind, detail, currency, billing_account_id, chained)"
            " VALUES (%s, %s, '', 'USD', %s, %s)",
            [cast.entity.pk, kind, cast.prepaid.pk if mine else None, chained],
        )


def test_the_application_role_still_cannot_lock_the_book_for_update(book: Book) -> None:
    insert_whole("raw:1", book.credit, book.debit)
    assert connection.settings_dict["USER"] != "countinghouse_owner"
    with refused_by(NO_PRIVILEGE):
        execute("SELECT FROM ledger_entries FOR UPDATE")
