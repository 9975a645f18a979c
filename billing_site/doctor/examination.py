"""The examination: every check in turn, each by itself, so that a broken one hides no other."""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import DatabaseError

from billing_site.doctor import cluster, ground, neighbours, plans, standing, work
from billing_site.doctor.findings import Finding, fault, first_line
from billing_site.environment import EnvironmentFault

Check = Callable[[], Iterator[Finding]]


def examine(at: datetime, *, full: bool = False) -> Iterator[Finding]:
    """Findings as they come. Reads only, but for the run of verification it keeps; `full` proves all of the book.

    Call it outside a transaction. Works as the application role; where DATABASE_OWNER_URL is given, it also looks
    whether the owner is let in.
    """
    try:
        yield from ground.start()
    except ground.NoDatabase:
        yield from neighbours.redis()
        return
    for name, check in _checks(at, full=full):
        yield from _guarded(name, check)


def _checks(at: datetime, *, full: bool) -> Iterator[tuple[str, Check]]:
    yield "settings", ground.exposure
    yield "owner", ground.owner
    yield "migrations", ground.migrations
    yield "clock", ground.clocks
    yield "redis", neighbours.redis
    yield "worker", lambda: neighbours.worker(at)
    yield "mail", neighbours.mail
    yield "disk", ground.disk
    yield "accrual", lambda: work.accrual(at)
    yield "parked", work.parked
    yield "balances", lambda: standing.balances(at)
    yield "releases", lambda: standing.releases(at)
    yield "catalog", plans.catalog
    yield "plans", lambda: plans.plans(at)
    yield "outbox", lambda: work.outbox(at)
    yield "cluster", lambda: cluster.cluster(at)
    yield "partitions", lambda: work.months(at)
    yield "last proof", lambda: work.last_verification(at, full=full)
    yield "invariants", lambda: work.invariants(at, full=full)


def _guarded(name: str, check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except (DatabaseError, EnvironmentFault) as error:
        yield fault(name, f"could not be looked at: {first_line(error)}", "Mend the faults above, then look again.")
