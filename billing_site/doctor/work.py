"""How the work stands: what is due, what stands still, what was given up, and whether the books are true."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection

from billing_site import figures
from billing_site.accrual_facts import missing_months
from billing_site.back_office.home_cards import STALE
from billing_site.back_office.spans import span
from billing_site.doctor.findings import Finding, fault, good, warning
from ledger.models import AccrualCursor, AccrualSchedule, VerificationRun
from ledger.verification import verify

LATE_SECONDS, STANDSTILL_SECONDS = 120, 600
FULL_PROOF_EVERY = timedelta(days=31)
NAMED = 5
_RUNBOOK = "Settings, Runbooks in the back office; docs/runbooks/accrual-wedged.md"

# Accounts that run and that no ring of the bell would look at.
_FORGOTTEN = """
SELECT DISTINCT b.billing_account_id
FROM accrual_cursors c
JOIN billing_account_bindings b ON b.project_id = c.project_id
LEFT JOIN accrual_schedules s ON s.billing_account_id = b.billing_account_id
WHERE NOT c.done AND c.accrued_to >= b.established_at AND c.accrued_to < coalesce(b.superseded_at, 'infinity')
  AND s.due_at IS NULL AND s.parked_at IS NULL
ORDER BY 1
"""
# The relay would take these now; a delivery behind an earlier one of its account and route waits by rule.
_DELIVERABLE_SINCE = """
SELECT min(greatest(d.next_attempt_at, m.created_at))
FROM outbox_deliveries d JOIN outbox m ON m.id = d.message_id
WHERE d.state = 'pending' AND d.next_attempt_at <= %s AND NOT EXISTS (
    SELECT FROM outbox_deliveries e
    WHERE e.state = 'pending' AND e.route = d.route AND e.billing_account_id = d.billing_account_id AND e.id < d.id
)
"""


def accrual(at: datetime) -> Iterator[Finding]:
    lag = figures.accrual_lag_seconds(at)
    if lag <= LATE_SECONDS:
        yield good(
            "accrual", "nothing that is due waits" if lag == 0 else f"the oldest account is due since {span(lag)}"
        )
    else:
        finding = fault if lag > STANDSTILL_SECONDS else warning
        todo = f"Does the worker run? manage.py accrue bills all that is due. {_RUNBOOK}"
        yield finding("accrual", f"usage waits to be billed since {span(lag)}", todo)
    with connection.cursor() as cursor:
        cursor.execute(_FORGOTTEN)
        forgotten = [str(account_id) for (account_id,) in cursor.fetchall()]
    if forgotten:
        what = f"{len(forgotten)} accounts run but are not scheduled: {_listed(forgotten)}"
        yield fault("accrual", what, "Set due_at in accrual_schedules to the present for them.")


def parked() -> Iterator[Finding]:
    standing = AccrualSchedule.objects.filter(parked_at__isnull=False)
    count = figures.parked_accounts()
    if not count:
        yield good("parked", "no account is parked")
        return
    named = [
        f"{schedule.billing_account.public_id} ({schedule.park_code}, {schedule.failures} tries)"
        for schedule in standing.select_related("billing_account").order_by("parked_at")[: NAMED + 1]
    ]
    yield fault("parked", f"{count} parked: {_listed(named)}", f"Mend what the code names. {_RUNBOOK}")


def outbox(at: datetime) -> Iterator[Finding]:
    outbox = figures.outbox_figures(at)
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERABLE_SINCE, [at])
        (since,) = cursor.fetchone()
    waits = 0.0 if since is None else max(0.0, (at - since).total_seconds())
    what = f"{outbox.pending} pending, the oldest {span(outbox.oldest_pending_seconds)} old"
    if waits > STANDSTILL_SECONDS:
        yield fault("outbox", f"{what}; one could go since {span(waits)}", "Does the worker run? It relays every 2 s.")
    elif outbox.oldest_pending_seconds > LATE_SECONDS:
        todo = "Failing ones are tried 12 times over 3 hours; their last error is under Deliveries."
        yield warning("outbox", what, todo)
    else:
        yield good("outbox", what if outbox.pending else "nothing waits")
    if outbox.dead:
        todo = "Read the error under Deliveries (state dead), mend it, then Replay there or manage.py replay_delivery."
        yield fault("outbox", f"{outbox.dead} dead letters", todo)


def months(at: datetime) -> Iterator[Finding]:
    """Whether usage of this and the next month has its partition."""
    missing = missing_months(at)
    if not missing:
        following = (at.date().replace(day=1) + timedelta(days=32)).replace(day=1)
        yield good("partitions", f"usage has its months up to {following:%Y-%m}")
        return
    names = ", ".join(f"{month:%Y-%m}" for month in missing)
    todo = "manage.py accrue makes them; the worker does so every hour."
    if AccrualCursor.objects.filter(done=False).exists():
        yield fault("partitions", f"usage has no partition for {names}", todo)
    else:
        yield warning("partitions", f"usage has no partition for {names}, and nothing runs yet", todo)


def last_verification(at: datetime, *, full: bool) -> Iterator[Finding]:
    """The runs before this examination; `full` says that this one proves everything anyway."""
    last = figures.last_verification(at)
    if last is None:
        yield warning("last proof", "the books were never verified", "Does beat run? It verifies every 15 minutes.")
        return
    what = f"{span(last.age_seconds)} ago, {last.violations or 'no'} violations"
    if last.violations:
        yield fault("last proof", what, "Run manage.py verify_books, which names each row.")
    elif last.age_seconds > STALE.total_seconds():
        yield warning("last proof", what, "Does beat run? It verifies every 15 minutes.")
    else:
        yield good("last proof", what)
    newest = VerificationRun.objects.filter(full=True).order_by("-started_at").first()
    if not full and (newest is None or at - newest.finished_at > FULL_PROOF_EVERY):
        ago = "never" if newest is None else f"{span((at - newest.finished_at).total_seconds())} ago"
        yield warning("full proof", ago, "Run manage.py verify_books --full, monthly at least.")


def invariants(at: datetime, *, full: bool) -> Iterator[Finding]:
    """Prove the books now; this writes the run and nothing else."""
    run = verify(at, full=full)
    scope = "everything" if full else "all that is new"
    if not run.violation_count:
        yield good("invariants", f"{scope} was proved in {(run.finished_at - at).total_seconds():.1f} s")
        return
    first = run.violations[0]
    what = f"{run.violation_count} rows are violated, first {first['rule']}: row {first['row']}: {first['detail']}"
    yield fault("invariants", what, "Run manage.py verify_books, which names each row; post nothing by hand before.")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
