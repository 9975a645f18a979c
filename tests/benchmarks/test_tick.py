"""One tick over many allocations against the bare reference of the same run. Prints ratios; fails only where wrong."""

from datetime import datetime, timedelta
from statistics import median

import pytest

from ledger.verification import verify
from tests import estate
from tests.benchmarks.reference import bare_inserts
from tests.benchmarks.workers import Measured, tick
from tests.cast import NOON

MINUTE = timedelta(minutes=1)


def report(what: str, measured: Measured, reference: float) -> float:
    ratio = measured.seconds / reference
    print(
        f"\n{what}: {measured.windows:,} windows, {ratio:.2f} × the bare reference"
        f" ({measured.seconds:.2f} s against {reference:.2f} s), longest lock {measured.lock_seconds:.2f} s,"
        f" worker memory {measured.memory_mb:.0f} MB"
    )
    return ratio


def measure(accounts: int, *, ticks: int) -> None:
    estate.build(accounts=accounts, allocations_each=10, started_at=NOON)
    ratios = []
    for number in range(1, ticks + 1):
        at: datetime = NOON + number * MINUTE
        measured = tick(at, workers=2)
        assert measured.windows == accounts * 10
        what = "first tick, empty book, two workers" if number == 1 else f"tick {number}, two workers"
        ratios.append(report(what, measured, bare_inserts(at)))
    print(f"median of {ticks} ticks: {median(ratios):.2f} × the bare reference")
    assert verify(NOON + ticks * MINUTE, full=True).violation_count == 0


@pytest.mark.benchmark
def test_a_tick_over_100_000_allocations(committed_db: str) -> None:
    measure(10_000, ticks=5)


@pytest.mark.benchmark
@pytest.mark.parametrize("accounts", [1_000, 3_000, 10_000])
def test_time_is_linear_in_rows(committed_db: str, accounts: int) -> None:
    """The ratio to the reference of the same size stays what it is when the rows are ten times as many."""
    estate.build(accounts=accounts, allocations_each=10, started_at=NOON)
    tick(NOON + MINUTE, workers=1)
    at = NOON + 2 * MINUTE
    report(f"{accounts * 10:,} allocations, one worker", tick(at, workers=1), bare_inserts(at))


@pytest.mark.proof
def test_a_tick_over_a_million_allocations(committed_db: str) -> None:
    measure(100_000, ticks=2)
