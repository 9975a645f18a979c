"""All that is looked at when accrual does not move, in a dozen queries; nothing is locked and nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from billing_site import bells, broker, figures
from billing_site.bells import Bell
from billing_site.broker import Broker
from billing_site.figures import OutboxFigures
from ledger import parked_retries
from ledger.models import AccrualSchedule, BalanceState
from ledger.parked_retries import ParkedGroup

MOST_WAITING = 10_000
MOST_SESSIONS = 20

# A session of another role shows its number and its name alone, unless ours may read all statistics.
_SESSIONS = """
WITH waits AS (
    SELECT pid, pg_blocking_pids(pid) AS blockers FROM (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted) w
), holds AS (
    SELECT DISTINCT pid FROM pg_locks WHERE relation = 'billing_accounts'::regclass AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND mode IN ('RowShareLock', 'RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
)
SELECT a.pid, a.usename, a.application_name, a.state, a.xact_start, holds.pid IS NOT NULL,
       coalesce(waits.blockers, '{}')
FROM pg_stat_activity a LEFT JOIN holds ON holds.pid = a.pid LEFT JOIN waits ON waits.pid = a.pid
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND (holds.pid IS NOT NULL OR waits.pid IS NOT NULL OR a.pid IN (SELECT unnest(blockers) FROM waits))
ORDER BY a.xact_start NULLS FIRST, a.pid LIMIT %s
"""
_NEWEST_WINDOW = "SELECT interval_end FROM usage_records ORDER BY id DESC LIMIT 1"
_MISSING_MONTHS = """
SELECT month FROM unnest(%s::date[]) AS month
WHERE to_regclass('public.usage_records_' || to_char(month, 'YYYY_MM')) IS NULL ORDER BY month
"""


@dataclass(frozen=True)
class Session:
    """A session that holds or waits for rows. `began_at` is None where our role may not read it."""

    pid: int
    role: str
    program: str
    state: str
    began_at: datetime | None
    holds_accounts: bool
    waits_for: Sequence[int]


@dataclass(frozen=True)
class AccrualFacts:
    """One look at `at`. `waiting` counts to MOST_WAITING."""

    at: datetime
    lag_seconds: float
    waiting: int
    to_judge: int
    newest_window_end: datetime | None
    parked: Sequence[ParkedGroup]
    parked_accounts: int
    sessions: Sequence[Session]
    outbox: OutboxFigures
    bells: Sequence[Bell]
    broker: Broker
    missing_months: Sequence[date]


def look(at: datetime) -> AccrualFacts:
    return AccrualFacts(
        at=at,
        lag_seconds=figures.accrual_lag_seconds(at),
        waiting=waiting_accounts(at),
        to_judge=BalanceState.objects.filter(judge_due=True).count(),
        newest_window_end=_newest_window_end(),
        parked=parked_retries.parked_groups(),
        parked_accounts=figures.parked_accounts(),
        sessions=sessions(),
        outbox=figures.outbox_figures(at),
        bells=bells.bells(),
        broker=broker.look(),
        missing_months=missing_months(at),
    )


def waiting_accounts(at: datetime) -> int:
    """Accounts that are due and not parked, up to MOST_WAITING; accounts on a test clock stand aside."""
    due = AccrualSchedule.objects.filter(parked_at=None, due_at__lte=at, billing_account__test_now=None)
    return len(due.values_list("pk", flat=True)[:MOST_WAITING])


def missing_months(at: datetime) -> list[date]:
    """Of this month and the next, those for which usage has no partition."""
    this = at.date().replace(day=1)
    following = (this + timedelta(days=32)).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(_MISSING_MONTHS, [[this, following]])
        return [month for (month,) in cursor.fetchall()]


def sessions() -> list[Session]:
    """Sessions that hold rows of accounts, wait for a lock, or keep another waiting; the longest first."""
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS, [MOST_SESSIONS])
        found = cursor.fetchall()
    return [
        Session(pid, role or "", program or "", state or "", began_at, holds, list(blockers))
        for pid, role, program, state, began_at, holds, blockers in found
    ]


def _newest_window_end() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_WINDOW)
        row = cursor.fetchone()
    return row[0] if row else None
