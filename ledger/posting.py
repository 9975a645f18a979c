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
    """A transaction of the book, and the wallet (or unbilled, receivable, held) balances it left behind, by kind."""

    transaction_id: int
    balances: dict[str, int] = field(default_factory=dict)


# One statement, prepared: it reads where each account stands, numbers the lines and writes them. Nothing is written
# where an account is missing or a wallet would fall below its floor; then `id` is null and `found` tells which.
_POST = """
WITH line AS (
    SELECT * FROM unnest(
        %(kinds)s::text[], %(details)s::text[], %(owners)s::bigint[], %(amounts)s::bigint[], %(reasons)s::text[],
        %(metadata)s::jsonb[]
    ) WITH ORDINALITY AS l (kind, detail, owner, amount_minor, reason, metadata, n)
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
           count(*) = cardinality(%(kinds)s::text[])
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
       (SELECT jsonb_object_agg(kind, balance_after ORDER BY n) FROM numbered WHERE owner IS NOT NULL)
"""


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
        transaction_id, found, balances = _write(account, act, actor, at)
        if transaction_id is None and found < len(act.lines):
            _open_ledger_accounts(account, act.lines)
            transaction_id, found, balances = _write(account, act, actor, at)
    if transaction_id is None:
        raise InsufficientBalance("the balance is not enough; a wallet is not debited below zero")
    return Posted(transaction_id, balances)


def _open_ledger_accounts(account: BillingAccount, lines: Sequence[Line]) -> None:
    for kind, detail in {(line.kind, line.detail) for line in lines}:
        open_ledger_account(account.legal_entity_id, kind, account.currency, detail=detail, account_id=account.pk)


def _write(account: BillingAccount, act: Act, actor: Actor, at: datetime) -> tuple[int | None, int, dict[str, int]]:
    """Run the statement: the transaction's id or None, how many lines found their account, balances by kind."""
    transaction_id, found, balances = prepared.rows(_POST, _parameters(account, act, actor, at))[0]
    return transaction_id, found, json.loads(balances or "{}")


def _parameters(account: BillingAccount, act: Act, actor: Actor, at: datetime) -> dict[str, Any]:
    lines = act.lines
    return {
        "business_key": act.business_key,
        "kind": act.kind,
        "correlation_id": current_correlation_id(),
        "actor": actor.label,
        "at": at,
        "kinds": [line.kind for line in lines],
        "details": [line.detail for line in lines],
        "owners": [account.pk if line.kind in CUSTOMER_KINDS else None for line in lines],
        "amounts": [line.amount_minor for line in lines],
        "reasons": [line.reason for line in lines],
        "metadata": [json.dumps(line.metadata) if line.metadata else None for line in lines],
        "floor": act.wallet_floor,
        "account": account.pk,
        "currency": account.currency,
        "legal_entity": account.legal_entity_id,
        "reference_type": act.reference[0],
        "reference_id": act.reference[1],
    }
