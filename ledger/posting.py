"""Posting: the one way money is written by an act. A tick has its own statement (accrual.sql) under the same guards.

The caller holds the billing account's lock. Entries of a transaction arrive in one INSERT with their running balance;
the database refuses what does not sum to zero, breaks a chain or repeats a business key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.audit import Actor
from accounts.clock import check_moment
from accounts.correlation import current_correlation_id
from accounts.errors import AmountInvalid, constraints
from accounts.models import BillingAccount, LegalEntity
from ledger.chart import CUSTOMER_KINDS, open_ledger_account
from ledger.errors import AlreadyPosted, InsufficientBalance, Unbalanced


@dataclass(frozen=True)
class Line:
    """One entry to be: positive credits, negative debits, minor units of the account's currency."""

    kind: str
    amount_minor: int
    reason: str
    detail: str = ""
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Act:
    """What is posted: the key that says what the money is, its lines, and what they refer to."""

    business_key: str
    kind: str
    lines: Sequence[Line]
    reference: tuple[str, int]
    wallet_floor: bool = True


@dataclass(frozen=True)
class Head:
    """Where a ledger account stands: its id, last sequence and running balance (0, 0 when untouched)."""

    ledger_account_id: int
    chained: bool
    seq: int = 0
    balance_minor: int = 0


@dataclass(frozen=True)
class Posted:
    """A transaction of the book, and the wallet (or unbilled, receivable, held) balances it left behind, by kind."""

    transaction_id: int
    balances: dict[str, int] = field(default_factory=dict)


_HEADS = """
SELECT a.id, a.kind, a.detail, a.chained, coalesce(h.account_seq, 0), coalesce(h.balance_after, 0)
FROM ledger_accounts a
LEFT JOIN LATERAL (
    SELECT account_seq, balance_after FROM ledger_entries
    WHERE ledger_account_id = a.id AND a.chained ORDER BY account_seq DESC LIMIT 1
) h ON true
WHERE a.legal_entity_id = %s AND a.currency = %s AND (a.billing_account_id = %s OR a.billing_account_id IS NULL)
  AND a.kind = ANY(%s)
"""

_WRITE = """
WITH born AS (
    INSERT INTO ledger_transactions (business_key, kind, correlation_id, actor, effective_at)
    VALUES (%(business_key)s, %(kind)s, %(correlation_id)s, %(actor)s, %(at)s) RETURNING id
), line AS (
    SELECT * FROM unnest(
        %(accounts)s::bigint[], %(seqs)s::bigint[], %(amounts)s::bigint[], %(balances)s::bigint[],
        %(reasons)s::text[], %(metadata)s::jsonb[]
    ) AS l (ledger_account_id, account_seq, amount_minor, balance_after, reason, metadata)
), entry AS (
    INSERT INTO ledger_entries (
        transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor, balance_after, currency,
        reason, reference_type, reference_id, metadata, effective_at
    )
    SELECT born.id, l.ledger_account_id, %(account)s, l.account_seq, l.amount_minor, l.balance_after, %(currency)s,
           l.reason, %(reference_type)s, %(reference_id)s, l.metadata, %(at)s
    FROM line l, born
), total AS (
    INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)
    SELECT %(legal_entity)s, %(day)s, a.kind, %(currency)s, sum(l.amount_minor), count(*)
    FROM line l JOIN ledger_accounts a ON a.id = l.ledger_account_id GROUP BY a.kind
)
SELECT id FROM born
"""


def post(account: BillingAccount, act: Act, *, actor: Actor, at: datetime) -> Posted:
    """Write one transaction of the account's currency, effective at `at`.

    Raises Unbalanced, AmountInvalid, TimeInvalid, AlreadyPosted (business key), InsufficientBalance (a wallet below
    its floor of 0).
    """
    at = check_moment(at)
    if sum(line.amount_minor for line in act.lines) != 0 or len(act.lines) < 2:
        raise Unbalanced("the lines of an act sum to zero and are two at least")
    heads = _heads(account, act.lines)
    rows, balances = _chain(act, heads)
    twice = AlreadyPosted("this is already on the book; nothing was written twice")
    with constraints({"business_key_once": twice, "entry_amount_in_range": AmountInvalid("amount out of range")}):
        transaction_id = _write(account, act, rows, actor=actor, at=at)
    return Posted(transaction_id, balances)


def _heads(account: BillingAccount, lines: Sequence[Line]) -> dict[tuple[str, str], Head]:
    wanted = {(line.kind, line.detail) for line in lines}
    kinds = sorted({kind for kind, _ in wanted})
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, [account.legal_entity_id, account.currency, account.pk, kinds])
        heads = {(row[1], row[2]): Head(row[0], row[3], row[4], row[5]) for row in cursor.fetchall()}
    for kind, detail in wanted - heads.keys():
        opened = open_ledger_account(
            account.legal_entity_id, kind, account.currency, detail=detail, account_id=account.pk
        )
        heads[kind, detail] = Head(opened.pk, kind in CUSTOMER_KINDS)
    return heads


def _chain(act: Act, heads: dict[tuple[str, str], Head]) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    """Give each customer line its sequence and running balance; refuse a wallet that would fall below zero."""
    rows: list[tuple[Any, ...]] = []
    balances: dict[str, int] = {}
    standing = dict(heads)
    for line in act.lines:
        head = standing[line.kind, line.detail]
        metadata = json.dumps(line.metadata) if line.metadata else None
        if not head.chained:
            rows.append((head.ledger_account_id, None, line.amount_minor, None, line.reason, metadata))
            continue
        head = Head(head.ledger_account_id, True, head.seq + 1, head.balance_minor + line.amount_minor)
        standing[line.kind, line.detail] = head
        balances[line.kind] = head.balance_minor
        rows.append((head.ledger_account_id, head.seq, line.amount_minor, head.balance_minor, line.reason, metadata))
    if act.wallet_floor and balances.get("wallet", 0) < 0 and _falls(act.lines):
        raise InsufficientBalance("the balance is not enough; a wallet is not debited below zero")
    return rows, balances


def _falls(lines: Sequence[Line]) -> bool:
    return sum(line.amount_minor for line in lines if line.kind == "wallet") < 0


def _write(account: BillingAccount, act: Act, rows: list[tuple[Any, ...]], *, actor: Actor, at: datetime) -> int:
    accounts, seqs, amounts, balances, reasons, metadata = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "business_key": act.business_key,
                "kind": act.kind,
                "correlation_id": current_correlation_id(),
                "actor": actor.label,
                "at": at,
                "accounts": accounts,
                "seqs": seqs,
                "amounts": amounts,
                "balances": balances,
                "reasons": reasons,
                "metadata": metadata,
                "account": account.pk,
                "currency": account.currency,
                "reference_type": act.reference[0],
                "reference_id": act.reference[1],
                "legal_entity": account.legal_entity_id,
                "day": day_of(account.legal_entity, at),
            },
        )
        return int(cursor.fetchone()[0])


def day_of(legal_entity: LegalEntity, at: datetime) -> str:
    """The legal entity's calendar day of a moment, as ISO text."""
    return at.astimezone(ZoneInfo(legal_entity.time_zone)).date().isoformat()
