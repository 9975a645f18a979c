"""Plain SQL against the book, past every function, for tests of what the database itself refuses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from tests.cast import NOON

NO_PRIVILEGE = "42501"
NULL_REFUSED = "23502"
NO_PARTITION = "23514"


@contextmanager
def refused_by(rule: str) -> Iterator[None]:
    """The block must fail by the named constraint (or SQLSTATE); what it did is undone."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
    diagnostics = caught.value.__cause__.diag  # type: ignore[union-attr]
    assert rule in {diagnostics.constraint_name, diagnostics.sqlstate}, str(caught.value)


def execute(statement: str, parameters: Sequence[Any] = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def fetch(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


@dataclass(frozen=True)
class Entry:
    ledger_account: int
    amount_minor: int
    billing_account: int | None = None
    seq: int | None = None
    balance_after: int | None = None
    currency: str | None = "USD"
    reason: str = "adjustment"


_TRANSACTION = """
INSERT INTO ledger_transactions (id, business_key, kind, correlation_id, actor, effective_at)
VALUES (%s, %s, 'adjustment', 'test', 'system:test', %s)
"""


def insert_transaction(business_key: str) -> None:
    """One without entries."""
    execute(_TRANSACTION, [_next_transaction(), business_key, NOON])


def insert_whole(business_key: str, *entries: Entry) -> int:
    """A transaction and its entries in one statement, as the book wants them; its id."""
    number = _next_transaction()
    statement, parameters = _entries([(number, entry) for entry in entries])
    execute(f"WITH born AS ({_TRANSACTION}) {statement}", [number, business_key, NOON, *parameters])
    return number


def insert_entries(transaction_id: int, *entries: Entry) -> None:
    """All in one statement, to a transaction that is there."""
    execute(*_entries([(transaction_id, entry) for entry in entries]))


def insert_two(one: Sequence[Entry], other: Sequence[Entry]) -> None:
    """Two transactions in one statement."""
    first, second = _next_transaction(), _next_transaction()
    rows = [(first, entry) for entry in one] + [(second, entry) for entry in other]
    statement, parameters = _entries(rows)
    born = f"WITH born AS ({_TRANSACTION}), born_too AS ({_TRANSACTION})"
    execute(f"{born} {statement}", [first, "raw:1", NOON, second, "raw:2", NOON, *parameters])


def _next_transaction() -> int:
    return int(fetch("SELECT nextval(pg_get_serial_sequence('ledger_transactions', 'id'))")[0][0])


def _entries(rows: Sequence[tuple[int, Entry]]) -> tuple[str, list[Any]]:
    values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, 'test', 1, %s)"] * len(rows))
    parameters: list[Any] = []
    for number, entry in rows:
        parameters += [number, entry.ledger_account, entry.billing_account, entry.seq, entry.amount_minor]
        parameters += [entry.balance_after, entry.currency, entry.reason, NOON]
    return (
        "INSERT INTO ledger_entries (transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor,"
        f" balance_after, currency, reason, reference_type, reference_id, effective_at) VALUES {values}",
        parameters,
    )


@dataclass(frozen=True)
class Usage:
    allocation: int
    interval_start: datetime
    interval_end: datetime
    cost_minor: int = 0
    seq: int | None = None
    waived_minor: int = 0


def insert_usage(billing_account: int, rate: int, ledger_account: int, *records: Usage) -> None:
    """All in one statement."""
    values = ", ".join(["(%s, %s, %s, 1, %s, %s, %s, %s, %s, %s, %s)"] * len(records))
    parameters: list[Any] = []
    for usage in records:
        parameters += [usage.allocation, billing_account, rate, usage.interval_start, usage.interval_start]
        parameters += [usage.interval_end, usage.cost_minor, usage.waived_minor, ledger_account, usage.seq]
    execute(
        "INSERT INTO usage_records (allocation_id, billing_account_id, sku_rate_id, quantity, segment_start,"
        f" interval_start, interval_end, cost_minor, waived_minor, ledger_account_id, account_seq) VALUES {values}",
        parameters,
    )
