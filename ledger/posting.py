"""Posting: the one way money is written by an act. A tick has its own statement (accrual.sql) under the same guards.

The caller holds the billing account's lock. Entries of a transaction arrive in one INSERT with their running balance;
the database refuses what does not sum to zero, breaks a chain or repeats a business key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts import prepared
from accounts.account_phases import require_open
from accounts.audit import Actor
from accounts.clock import check_moment
from accounts.correlation import current_correlation_id
from accounts.errors import AmountInvalid, constraints
from accounts.models import BillingAccount
from ledger.balance_bound import STANDS
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
class Posted:
    """A transaction of the book, and the wallet (or unbilled, receivable, held) balances it left behind, by kind.

    `stays_healthy` where the wallet it touched is known to need no judging (balance_bound.py).
    """

    transaction_id: int
    balances: dict[str, int] = field(default_factory=dict)
    stays_healthy: bool = False


# One statement, prepared: it reads where each account stands, numbers the lines and writes them. Nothing is written
# where an account is missing or a wallet would fall below its floor; then `id` is null and `found` tells which.
_STANDS = STANDS.format(balance="w.balance_after", test_now="%(test_now)s::timestamptz", at="%(at)s::timestamptz")
_POST = f"""
WITH line AS (
    SELECT * FROM jsonb_to_recordset(%(lines)s::jsonb) AS l (
        n int, kind text, detail text, owner bigint, amount_minor bigint, reason text, metadata jsonb
    )
), standing AS (
    SELECT l.*, a.id AS ledger_account_id, h.account_seq AS head_seq, h.balance_after AS head_balance
    FROM line l
    JOIN ledger_accounts a ON a.kind = l.kind AND a.detail = l.detail AND a.currency = %(currency)s::text
        AND a.legal_entity_id = %(legal_entity)s::bigint
        AND (a.billing_account_id = l.owner OR (a.billing_account_id IS NULL AND l.owner IS NULL))
    LEFT JOIN LATERAL (
        SELECT account_seq, balance_after FROM ledger_entries
        WHERE ledger_account_id = a.id AND l.owner IS NOT NULL ORDER BY account_seq DESC LIMIT 1
    ) h ON true
), numbered AS MATERIALIZED (
    SELECT s.*,
           CASE WHEN owner IS NOT NULL THEN coalesce(head_seq, 0) + row_number() OVER posting END AS account_seq,
           CASE WHEN owner IS NOT NULL THEN
               (coalesce(head_balance, 0) + sum(amount_minor) OVER posting)::bigint END AS balance_after
    FROM standing s WINDOW posting AS (PARTITION BY ledger_account_id ORDER BY n)
), sound AS MATERIALIZED (
    SELECT count(*) AS found,
           count(*) = %(line_count)s::int
           AND NOT (%(floor)s::boolean AND coalesce(sum(amount_minor) FILTER (WHERE kind = 'wallet'), 0) < 0
               AND min(coalesce(head_balance, 0)) FILTER (WHERE kind = 'wallet')
                   + sum(amount_minor) FILTER (WHERE kind = 'wallet') < 0) AS ok
    FROM numbered
), born AS (
    INSERT INTO ledger_transactions (business_key, kind, correlation_id, actor, effective_at)
    SELECT %(business_key)s, %(kind)s, %(correlation_id)s, %(actor)s, %(at)s::timestamptz FROM sound WHERE ok
    RETURNING id
), entry AS (
    INSERT INTO ledger_entries (
        transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor, balance_after, currency,
        reason, reference_type, reference_id, metadata, effective_at
    )
    SELECT born.id, ledger_account_id, %(account)s::bigint, account_seq, amount_minor, balance_after,
           %(currency)s::text, reason, %(reference_type)s::text, %(reference_id)s::bigint, metadata, %(at)s::timestamptz
    FROM numbered, born ORDER BY n
), total AS (
    INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)
    SELECT le.id, (%(at)s::timestamptz AT TIME ZONE le.time_zone)::date, n.kind, %(currency)s::text,
           sum(n.amount_minor), count(*)
    FROM numbered n JOIN legal_entities le ON le.id = %(legal_entity)s::bigint JOIN born ON true
    GROUP BY le.id, n.kind
)
SELECT (SELECT id FROM born), (SELECT found FROM sound),
       (SELECT jsonb_object_agg(kind, balance_after ORDER BY n) FROM numbered WHERE owner IS NOT NULL),
       (SELECT {_STANDS} FROM balance_states s
        JOIN LATERAL (SELECT balance_after FROM numbered WHERE kind = 'wallet' ORDER BY n DESC LIMIT 1) w ON true
        WHERE s.billing_account_id = %(account)s::bigint)
"""  # noqa: S608 - a constant of ours


def post(account: BillingAccount, act: Act, *, actor: Actor, at: datetime) -> Posted:
    """Write one transaction of the account's currency, effective at `at`. The caller holds the account's lock.

    Raises Unbalanced, AmountInvalid, AlreadyPosted (business key), TimeInvalid, InsufficientBalance (a wallet below
    its floor of 0, where the act respects it), AccountNotReady (archived).
    """
    at = check_moment(at)
    require_open(account)
    if sum(line.amount_minor for line in act.lines) != 0 or len(act.lines) < 2:
        raise Unbalanced("the lines of an act sum to zero and are two at least")
    twice = AlreadyPosted("this is already on the book; nothing was written twice")
    with constraints({"business_key_once": twice, "entry_amount_in_range": AmountInvalid("amount out of range")}):
        posted, found = _write(account, act, actor, at)
        if posted is None and found < len(act.lines):
            _open_ledger_accounts(account, act.lines)
            posted, found = _write(account, act, actor, at)
    if posted is None:
        raise InsufficientBalance("the balance is not enough; a wallet is not debited below zero")
    return posted


def _open_ledger_accounts(account: BillingAccount, lines: Sequence[Line]) -> None:
    for kind, detail in {(line.kind, line.detail) for line in lines}:
        open_ledger_account(account.legal_entity_id, kind, account.currency, detail=detail, account_id=account.pk)


def _write(account: BillingAccount, act: Act, actor: Actor, at: datetime) -> tuple[Posted | None, int]:
    """Run the statement: what was posted, or None, and how many lines found their ledger account."""
    transaction_id, found, balances, stays = prepared.rows(_POST, _parameters(account, act, actor, at))[0]
    if transaction_id is None:
        return None, found
    return Posted(transaction_id, json.loads(balances or "{}"), bool(stays)), found


def _parameters(account: BillingAccount, act: Act, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "business_key": act.business_key,
        "kind": act.kind,
        "correlation_id": current_correlation_id(),
        "actor": actor.label,
        "at": at,
        "lines": json.dumps([_line(number, line, account.pk) for number, line in enumerate(act.lines, 1)]),
        "line_count": len(act.lines),
        "floor": act.wallet_floor,
        "account": account.pk,
        "test_now": account.test_now,
        "currency": account.currency,
        "legal_entity": account.legal_entity_id,
        "reference_type": act.reference[0],
        "reference_id": act.reference[1],
    }


def _line(number: int, line: Line, account_id: int) -> dict[str, Any]:
    return {
        "n": number,
        "kind": line.kind,
        "detail": line.detail,
        "owner": account_id if line.kind in CUSTOMER_KINDS else None,
        "amount_minor": line.amount_minor,
        "reason": line.reason,
        "metadata": line.metadata or None,
    }
