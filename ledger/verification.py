"""Proof of the books: every rule over one snapshot, from a watermark or over everything, each violated row by name."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import clock
from accounts.currencies import EXPONENTS
from ledger.balance_verification_rules import BALANCE_RULES
from ledger.models import VerificationRun
from ledger.verification_rules import BOOK_RULES, Rule

RULES = (*BOOK_RULES, *BALANCE_RULES)
LISTED_PER_RULE = 200


def verify(at: datetime, *, full: bool = False) -> VerificationRun:
    """Check the rules at one snapshot and keep the result; a clean run moves the watermark on.

    Incremental runs look at transactions since the last clean run; `full` looks at everything. Violations are counted
    in full and listed up to 200 a rule. Call it outside a transaction: it needs a snapshot of its own.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        # Everything older than the oldest transaction still open is in the snapshot; what is newer is looked at again.
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        (upto,) = cursor.fetchone()
        since = 0 if full else _watermark(upto)
        bounds = {
            "since": since,
            "currencies": list(EXPONENTS),
            "scales": [10**exponent for exponent in EXPONENTS.values()],
        }
        found = {rule.name: _broken(rule, bounds) for rule in RULES if full or not rule.full_only}
    violations = [violation for _, listed in found.values() for violation in listed]
    count = sum(counted for counted, _ in found.values())
    return VerificationRun.objects.create(
        started_at=at,
        finished_at=clock.now(),
        full=full,
        watermark=upto if count == 0 else since,
        violations=violations,
        violation_count=count,
    )


def _broken(rule: Rule, bounds: dict[str, Any]) -> tuple[int, list[dict[str, str]]]:
    with connection.cursor() as cursor:
        cursor.execute(rule.query, bounds)
        rows = cursor.fetchmany(LISTED_PER_RULE)
        counted = cursor.rowcount
    return counted, [{"rule": rule.name, "row": str(row), "detail": detail} for row, detail in rows]


def _watermark(upto: int) -> int:
    """The last run's; one that lies ahead comes from before a restore into another cluster, and all is looked at."""
    newest = VerificationRun.objects.order_by("-started_at", "-pk").first()
    return newest.watermark if newest and newest.watermark <= upto else 0
