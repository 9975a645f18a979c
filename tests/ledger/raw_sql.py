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


def check_deferred() -> None:
    """Ask the rules now that otherwise speak at commit."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")


@dataclass(frozen=True)
class Entry:
    ledger_account: int
    amount_minor: int
    billing_account: int | None = None
    seq: int | None = None
    balance_after: int | None = None
    currency: str | None = "USD"
    reason: str = "adjustment"


def insert_transaction(business_key: str) -> int:
    ((transaction_id,),) = fetch(
        "INSERT INTO ledger_transactions (business_key, kind, correlation_id, actor, effective_at)"
        " VALUES (%s, 'adjustment', 'test', 'system:test', %s) RETURNING id",
        [business_key, NOON],
    )
    return int(transaction_id)


def insert_entries(transaction_id: int, *entries: Entry) -> None:
    """All in one statement."""
    values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, 'test', 1, %s)"] * len(entries))
    rows = (
        (
            transaction_id,
            entry.ledger_account,
            entry.billing_account,
            entry.seq,
            entry.amount_minor,
            entry.balance_after,
            entry.currency,
            entry.reason,
            NOON,
        )
        for entry in entries
    )
    execute(
        "INSERT INTO ledger_entries (transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor,"
        f" balance_after, currency, reason, reference_type, reference_id, effective_at) VALUES {values}",
        [value for row in rows for value in row],
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
