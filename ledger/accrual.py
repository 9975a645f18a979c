"""Accrual: bill every window that is due, each exactly once, whatever crashed, doubled or came late before.

1. Claim due accounts in id order with FOR NO KEY UPDATE SKIP LOCKED: two workers share the work.
2. Run accrual.sql for the batch: usage records, debits and running balances in one statement; the usage trigger moves
   the cursors and refuses a gap, an overlap or a window billed twice.
3. Judge the balances it touched (balance_state.py): warnings, depletions and release requests commit with the debits.
   A wallet that crosses zero is billed to the end of that window; the next pass bills or waives the rest.
4. Commit. A batch that fails is undone and halved, down to the one account at fault, which is parked with its error
   while the rest go on. A worker killed anywhere leaves nothing half done: the next ring finds the same windows due.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from accounts.correlation import current_correlation_id
from accounts.currencies import EXPONENTS
from accounts.errors import DomainError
from accounts.failpoints import failpoint
from accounts.locking import lock_accounts
from accounts.policy import effective
from ledger import parking
from ledger.balance_reactions import judge_due
from ledger.balance_state import judge_many
from ledger.errors import Unpriced
from ledger.months import ensure_months

ACTOR = "system:accrual"
BATCH_ACCOUNTS = 1_000
MAXIMUM_WINDOWS = 10_000
_TICK = (Path(__file__).parent / "accrual.sql").read_text()

# What may be wrong with one account and must not stop the rest: its rows are refused, or rows it needs are not there.
_ONE_ACCOUNTS_FAULT = (DatabaseError, DomainError, ObjectDoesNotExist)
# The order of joins is written, not guessed; sorts of a batch fit in memory.
_PREPARE = """
SELECT lock_price_book_shared(), set_config('join_collapse_limit', '1', true), set_config('work_mem', '64MB', true)
"""
_CLAIM = """
SELECT b.id FROM billing_accounts b JOIN accrual_schedules s ON s.billing_account_id = b.id
WHERE s.due_at <= coalesce(b.test_now, %(at)s) AND s.parked_at IS NULL AND b.id > %(after)s
  AND (%(only)s::bigint[] IS NULL OR b.id = ANY(%(only)s))
ORDER BY b.id LIMIT %(limit)s FOR NO KEY UPDATE OF b {wait}
"""
_RUNNING = """
SELECT chosen.id, running.allocations FROM unnest(%s::bigint[]) AS chosen (id)
CROSS JOIN LATERAL (
    SELECT count(*) AS allocations FROM billing_account_bindings b
    JOIN accrual_cursors c ON c.project_id = b.project_id AND NOT c.done WHERE b.billing_account_id = chosen.id
) running
"""
_OPEN_LEDGER_ACCOUNTS = """
INSERT INTO ledger_accounts (legal_entity_id, kind, detail, currency, billing_account_id, chained)
SELECT b.legal_entity_id, CASE b.settlement WHEN 'prepaid' THEN 'wallet' ELSE 'unbilled' END, '', b.currency, b.id, true
FROM billing_accounts b WHERE b.id = ANY(%(ids)s) AND NOT EXISTS (
    SELECT FROM ledger_accounts a WHERE a.billing_account_id = b.id AND a.detail = '' AND a.currency = b.currency
      AND a.kind = CASE b.settlement WHEN 'prepaid' THEN 'wallet' ELSE 'unbilled' END
)
UNION ALL
SELECT DISTINCT b.legal_entity_id, 'usage_revenue', '', b.currency, NULL::bigint, false
FROM billing_accounts b WHERE b.id = ANY(%(ids)s) AND NOT EXISTS (
    SELECT FROM ledger_accounts a WHERE a.billing_account_id IS NULL AND a.legal_entity_id = b.legal_entity_id
      AND a.kind = 'usage_revenue' AND a.detail = '' AND a.currency = b.currency
)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Tally:
    """What a drain did; amounts in minor units, summed over currencies only for reports of one currency."""

    windows: int = 0
    entries: int = 0
    total_minor: int = 0
    accounts: int = 0
    parked: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.windows + other.windows,
            self.entries + other.entries,
            self.total_minor + other.total_minor,
            self.accounts + other.accounts,
            self.parked + other.parked,
        )


def drain(
    at: datetime,
    *,
    only: Collection[int] | None = None,
    wait: bool = False,
    batch_accounts: int = BATCH_ACCOUNTS,
    maximum_windows: int = MAXIMUM_WINDOWS,
    enough: Callable[[], bool] = lambda: False,
) -> Tally:
    """Bill all that is due at `at` (UTC; an account's test clock wins), batch by batch, each in its own transaction.

    `only` restricts to some accounts; `wait` waits for accounts another worker holds, where the default leaves them
    to that worker. Parked accounts whose retry has come are tried first, one by one. Broken connections and lock
    time-outs raise OperationalError: nothing is lost, the next ring goes on. `enough` is asked after each batch, for a
    caller who cannot stay until all is done.
    """
    ensure_months(at)
    tally = Tally()
    for account_id in parking.due_for_retry(at, only):
        tally += _bill_or_park([account_id], at, maximum_windows)
        if enough():
            return tally
    while True:
        done = _pass(at, enough, only=only, wait=wait, limit=batch_accounts, maximum_windows=maximum_windows)
        tally += done
        if enough():
            return tally
        if not done.windows:
            break  # nothing is due, or what is due waits for an account that another worker holds or that is parked
    if only is None:
        judge_due(at)
    return tally


def _pass(
    at: datetime,
    enough: Callable[[], bool],
    *,
    only: Collection[int] | None,
    wait: bool,
    limit: int,
    maximum_windows: int,
) -> Tally:
    """Every due account once, in id order; what a bounded batch leaves over is due again in the next pass."""
    tally, after = Tally(), 0
    while batch := _bill_batch(at, after, only=only, wait=wait, limit=limit, maximum_windows=maximum_windows):
        tally, after = tally + batch[0], batch[1]
        if enough():
            break
    return tally


def _bill_batch(
    at: datetime, after: int, *, only: Collection[int] | None, wait: bool, limit: int, maximum_windows: int
) -> tuple[Tally, int] | None:
    """Claim and bill the next accounts after an id; None where none is due. Returns the last id claimed."""
    ids: list[int] = []
    try:
        with transaction.atomic():
            ids = _bounded(_claim(at, after, only=only, wait=wait, limit=limit), maximum_windows)
            if not ids:
                return None
            tally = _tick(ids, at, maximum_windows)
            failpoint("accrual.before_commit")
        failpoint("accrual.after_commit")
        return tally, ids[-1]
    except (OperationalError, InterfaceError):
        raise
    except _ONE_ACCOUNTS_FAULT as error:
        if not ids:
            raise
        return _divide(ids, at, maximum_windows, error), ids[-1]


def _divide(ids: list[int], at: datetime, maximum_windows: int, error: Exception) -> Tally:
    """Halve a failing batch; a single account that fails is parked."""
    if len(ids) == 1:
        parking.park(ids[0], error, at=at)
        return Tally(parked=1)
    middle = len(ids) // 2
    return _bill_or_park(ids[:middle], at, maximum_windows) + _bill_or_park(ids[middle:], at, maximum_windows)


def _bill_or_park(ids: list[int], at: datetime, maximum_windows: int) -> Tally:
    try:
        with transaction.atomic():
            lock_accounts(ids)
            tally = _tick(ids, at, maximum_windows)
            parking.unpark(ids, at=at)
            failpoint("accrual.half_before_commit")
        return tally
    except (OperationalError, InterfaceError):
        raise
    except _ONE_ACCOUNTS_FAULT as error:
        return _divide(ids, at, maximum_windows, error)


def _claim(at: datetime, after: int, *, only: Collection[int] | None, wait: bool, limit: int) -> list[int]:
    chosen = None if only is None else list(only)
    statement = _CLAIM.format(wait="" if wait else "SKIP LOCKED")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"at": at, "after": after, "limit": limit, "only": chosen})
        return [account_id for (account_id,) in cursor.fetchall()]


def _bounded(ids: list[int], maximum_windows: int) -> list[int]:
    """The first of the accounts, as many as hold that many running allocations; one account at least."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, [ids])
        running = dict(cursor.fetchall())
    total = 0
    for taken, account_id in enumerate(ids):
        total += running.get(account_id, 0)
        if total > maximum_windows and taken:
            return ids[:taken]
    return ids


def _tick(ids: list[int], at: datetime, maximum_windows: int) -> Tally:
    """Bill the locked accounts' due windows in the caller's transaction. Raises Unpriced and DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(_PREPARE)
        cursor.execute(_OPEN_LEDGER_ACCOUNTS, {"ids": ids})
        failpoint("accrual.before_tick")
        cursor.execute(
            _TICK,
            {
                "account_ids": ids,
                "at": at,
                "window_seconds": effective("billing.window_seconds"),
                "max_windows": maximum_windows,
                "currencies": list(EXPONENTS),
                "scales": [10**exponent for exponent in EXPONENTS.values()],
                "actor": ACTOR,
                "correlation_id": current_correlation_id(),
            },
        )
        windows, entries, total_minor, unpriced, fallen, fell_at = cursor.fetchone()
        failpoint("accrual.after_tick")
    if unpriced:
        raise Unpriced(unpriced)
    judge_many(ids, at=at, fell_at=dict(zip(fallen, fell_at, strict=True)))
    return Tally(windows, entries, total_minor, len(ids))
