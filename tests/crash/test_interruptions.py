"""Outages, changes and calendars: windows stay contiguous and are billed once, by worker processes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from accounts import policy
from ledger.models import UsageRecord
from tests.cast import ACTOR, BEGINNING
from tests.crash.crew import Crew, assembled
from tests.crash.scene import EVENING, MINUTE, audit, busy_evening, held, priced, require_sound_books, told
from tests.properties.histories import Held, History, Row, Telling

HOUR = timedelta(hours=1)
MIDNIGHT = EVENING + 2 * HOUR
DAYS = (
    ("America/New_York", 3, 8, 23),
    ("Australia/Lord_Howe", 4, 5, 24.5),
    ("America/New_York", 6, 1, 24),
    ("Australia/Lord_Howe", 10, 4, 23.5),
    ("America/New_York", 11, 1, 25),
)


@pytest.fixture
def crew(process_environment: dict[str, str]) -> Iterator[Crew]:
    with assembled(process_environment) as crew:
        yield crew


def set_width(seconds: int, telling: Telling, at: datetime = BEGINNING) -> None:
    tenant = telling.organization.pk
    policy.set_value(
        "billing.window_seconds", seconds, scope="tenant", scope_id=tenant, actor=ACTOR, reason="test", at=at
    )


def contiguous(rows: list[Row], started_at: datetime) -> bool:
    return rows[0][1] == started_at and all(before[2] == after[1] for before, after in pairwise(rows))


def test_a_gap_of_three_hours_is_caught_up_window_by_window_oldest_first(crew: Crew) -> None:
    tellings = busy_evening()
    before, after = EVENING + 5 * MINUTE, EVENING + 185 * MINUTE
    crew.drain(before)
    caught_up = crew.drain(after, maximum_windows=200)
    assert caught_up.tally is not None
    assert caught_up.tally["windows"] > 180 * 3
    crew.drain(after + MINUTE)
    found = audit(tellings, after, rung_at=after + MINUTE)
    assert found.clean, found
    stayed = [telling for telling in tellings if len(telling.history.bindings) == 1]
    for account in (account for telling in stayed for account in telling.accounts):
        debited = UsageRecord.objects.filter(billing_account=account, account_seq__isnull=False)
        ends = list(debited.order_by("account_seq").values_list("interval_end", flat=True))
        assert ends == sorted(ends)
    require_sound_books()


def test_a_gap_billed_in_one_go_or_in_pieces_costs_the_same(crew: Crew) -> None:
    at_once, in_pieces = (told([held((0.2, "3"), (50.5, "0.7"))], name=name) for name in ("at-once", "in-pieces"))
    for moment in (31, 77.7, 150):
        crew.together(
            {
                "act": "drain",
                "at": EVENING + moment * MINUTE,
                "options": {"only": [account.pk for account in in_pieces.accounts]},
            }
        )
    crew.drain(EVENING + 180 * MINUTE)
    assert [row[1:] for row in at_once.records(0)] == [row[1:] for row in in_pieces.records(0)]


def test_a_new_width_holds_from_the_cursor_on_and_leaves_no_gap(crew: Crew) -> None:
    telling = told([held((0.1, "1.5"), (200, "2"))], name="widths")
    billed: list[Row] = []
    for minutes, width in ((10, 60), (35, 3600), (130, 3600), (131, 7), (150, 86_400), (290, 1000)):
        at = EVENING + minutes * MINUTE
        set_width(width, telling, at)
        cursor = billed[-1][2] if billed else None
        crew.drain(at)
        billed += telling.rule(0, width, at, cursor)
        assert telling.records(0) == billed
    assert contiguous(billed, telling.history.allocations[0].started_at)
    require_sound_books()


def test_a_resize_and_a_rebind_inside_a_window_cut_it_and_each_account_pays_its_part(crew: Crew) -> None:
    telling = told([held((0, "2"), (30.25, "4"))], name="cut", moves=(30.5,), rates=priced("3"))
    crew.drain(EVENING + 34 * MINUTE)
    first, second = telling.account_ids
    minute = [row for row in telling.records(0) if EVENING + 30 * MINUTE <= row[1] < EVENING + 31 * MINUTE]
    pays = [(row[0], (row[1] - EVENING) / MINUTE, (row[2] - EVENING) / MINUTE) for row in minute]
    assert pays == [(first, 30, 30.25), (first, 30.25, 30.5), (second, 30.5, 31)]
    paid = sum(row[3] for row in telling.records(0) if row[0] == first)
    assert paid == 303 + 5  # 2 × 3 USD for 30.25 minutes is 302.5; 4 × 3 USD for a quarter of a minute is 5
    assert audit([telling], EVENING + 34 * MINUTE).clean
    require_sound_books()


def test_a_month_end_cuts_a_window_that_lies_across_it(crew: Crew) -> None:
    tellings = {width: told([held((0.5, "1"))], name=f"month-{width}") for width in (3600, 50_000, 86_399)}
    for width, telling in tellings.items():
        set_width(width, telling)
    at = MIDNIGHT + 40 * HOUR
    crew.drain(at)
    for width, telling in tellings.items():
        rows = telling.records(0)
        assert MIDNIGHT in [row[2] for row in rows]
        assert contiguous(rows, EVENING + 0.5 * MINUTE)
        assert audit([telling], at, width=width).clean
    require_sound_books()


def test_a_day_costs_the_hours_it_has(crew: Crew) -> None:
    for zone, month, day, hours in DAYS:
        midnight = datetime(2026, month, day, tzinfo=ZoneInfo(zone))
        begins, ends = (moment.astimezone(UTC) for moment in (midnight, midnight + timedelta(days=1)))
        history = History(
            allocations=(Held(((begins, Decimal(2)),), None),),
            rates=(priced("1.00"), priced("1.00")),
            bindings=((BEGINNING, 0),),
            currencies=("USD", "USD"),
            settlements=("prepaid", "postpaid"),
            time_zone=zone,
        )
        telling = Telling(history, f"day-{month}-{day}")
        set_width(1800, telling)
        telling.tell(ends)
        crew.drain(ends)
        rows = telling.records(0)
        assert contiguous(rows, begins)
        assert (rows[-1][2], len(rows)) == (ends, 2 * hours)
        assert sum(row[3] for row in rows) == 200 * hours
    require_sound_books()
