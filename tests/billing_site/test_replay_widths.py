"""The width of a window changes no amount: the trace by the minute and by the hour, in one database."""

import pytest

from accounts.models import Organization
from ledger.verification import verify
from tests.billing_site.test_replay import TRACE, billed_by_the_books, replay, with_trace
from tests.cast import NOON


@with_trace
@pytest.mark.long
def test_the_first_500_rows_cost_the_same_by_the_minute_and_by_the_hour_in_one_database(committed_db: str) -> None:
    by_the_hour, by_the_minute = (replay(TRACE, limit=500, window_seconds=width) for width in (3600, 60))
    for name in ("total_minor", "allocations", "skipped", "released"):
        assert by_the_hour[name] == by_the_minute[name]
    assert by_the_minute["windows"] > 50 * by_the_hour["windows"]
    assert billed_by_the_books() == 2 * by_the_hour["total_minor"] > 0
    assert Organization.objects.count() == 80
    assert verify(NOON, full=True).violations == []
    print(f"\n500 rows at 60 s: {by_the_minute}")
