"""Billing periods by example: month ends, leap days, changed clocks; and the command that prints them."""

import io
import json
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from accounts.errors import DomainError
from quotas.billing_periods import Anchor, Interval, Period, period, period_containing, periods

BERLIN = ZoneInfo("Europe/Berlin")
UTC_ZONE = ZoneInfo("UTC")


def days(found: list[Period]) -> list[str]:
    return [one.starts_on.isoformat() for one in found]


def starts(anchor: Anchor, interval: Interval, count: int) -> list[str]:
    return [one.start.strftime("%Y-%m-%dT%H:%MZ") for one in periods(anchor, interval, count)]


def test_a_month_anchored_on_the_31st_ends_with_the_month_and_does_not_drift() -> None:
    anchor = Anchor.on(date(2023, 12, 31), UTC_ZONE)
    assert days(periods(anchor, Interval.MONTH, 5)) == [
        "2023-12-31",
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
    ]
    assert period(anchor, Interval.MONTH, 14).starts_on == date(2025, 2, 28)


def test_a_leap_day_anchored_yearly_comes_back_in_leap_years() -> None:
    anchor = Anchor.on(date(2024, 2, 29), UTC_ZONE)
    assert days(periods(anchor, Interval.YEAR, 5)) == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


def test_a_quarter_keeps_its_day() -> None:
    anchor = Anchor.on(date(2025, 8, 31), UTC_ZONE)
    assert days(periods(anchor, Interval.QUARTER, 4)) == ["2025-08-31", "2025-11-30", "2026-02-28", "2026-05-31"]


def test_local_midnight_stays_local_midnight_when_the_clock_is_changed() -> None:
    assert starts(Anchor.on(date(2026, 3, 1), BERLIN), Interval.MONTH, 2) == ["2026-02-28T23:00Z", "2026-03-31T22:00Z"]


def test_a_time_that_does_not_happen_is_later_by_the_gap_and_one_that_happens_twice_is_the_first() -> None:
    half_past_two = time(2, 30)
    spring = Anchor(datetime.combine(date(2026, 3, 28), half_past_two), BERLIN)
    assert starts(spring, Interval.DAY, 3) == ["2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"]
    autumn = Anchor(datetime.combine(date(2026, 10, 24), half_past_two), BERLIN)
    assert starts(autumn, Interval.DAY, 3) == ["2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"]


def test_an_anchor_in_the_second_of_two_equal_hours_is_where_it_was_put() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Berlin for the second time
    anchor = Anchor.at(second, BERLIN)
    assert period(anchor, Interval.MONTH, 0).start == second
    assert period(anchor, Interval.MONTH, 1).start == datetime(2026, 11, 25, 1, 30, tzinfo=UTC)


def test_the_day_that_apia_left_out_is_no_period() -> None:
    anchor = Anchor.on(date(2011, 12, 28), ZoneInfo("Pacific/Apia"))
    found = periods(anchor, Interval.DAY, 4)
    assert days(found) == ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"]
    assert [one.number for one in found] == [0, 1, 3, 4]
    with pytest.raises(DomainError, match="left that day out"):
        period(anchor, Interval.DAY, 2)


def test_a_period_far_away_is_found_from_the_calendar_in_a_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    from quotas import billing_periods

    asked = 0
    boundary = billing_periods._boundary

    def counted(*arguments: Any) -> datetime:
        nonlocal asked
        asked += 1
        return boundary(*arguments)

    monkeypatch.setattr(billing_periods, "_boundary", counted)
    at = datetime(2199, 6, 1, 12, tzinfo=UTC)
    assert period_containing(Anchor.on(date(2001, 1, 31), BERLIN), Interval.DAY, at).start < at
    assert asked <= 8


@pytest.mark.parametrize("number", [3000, 10**6, -400, -(10**6)])
def test_a_period_out_of_the_years_is_refused(number: int) -> None:
    with pytest.raises(DomainError) as refusal:
        period(Anchor.on(date(2026, 1, 1), UTC_ZONE), Interval.MONTH, number)
    assert refusal.value.code == "time_invalid"


def run(**options: str) -> dict[str, Any]:
    printed = io.StringIO()
    asked = {"anchor": "2026-01-31", "interval": "month", "count": "3", **options}
    call_command("periods", *(f"--{name}={value}" for name, value in asked.items()), stdout=printed)
    answer: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])
    return answer


def test_the_command_prints_moments_and_local_days() -> None:
    answer = run(timezone="Europe/Berlin")
    assert answer["anchor"] == "2026-01-30T23:00:00Z"
    assert answer["periods"][1] == {
        "start": "2026-02-27T23:00:00Z",
        "end": "2026-03-30T22:00:00Z",
        "start_date": "2026-02-28",
        "end_date": "2026-03-31",
    }
    assert len(answer["periods"]) == 3


def test_the_command_takes_a_moment_with_an_offset() -> None:
    (only,) = run(anchor="2026-01-31t12:00:00.5+01:00", count="1")["periods"]
    assert (only["start"], only["end"]) == ("2026-01-31T11:00:00.500000Z", "2026-02-28T11:00:00.500000Z")


def test_ten_thousand_days_are_not_too_many() -> None:
    found = run(interval="day", count="10000", timezone="America/New_York")["periods"]
    assert len(found) == 10_000
    assert all(one["end"] == after["start"] for one, after in pairwise(found))


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"anchor": "2026-02-30"}, "time_invalid: anchor"),
        ({"anchor": "2026-2-1"}, "time_invalid: anchor"),
        ({"anchor": "2026-01-31T12:00:00"}, "time_invalid: anchor"),
        ({"anchor": "2026-01-31T12:00:00.1234567Z"}, "time_invalid: anchor"),
        ({"anchor": "2026-01-31T25:00:00Z"}, "time_invalid: anchor"),
        ({"anchor": "2026-01-31T12:00:00+99:00"}, "time_invalid: anchor"),
        ({"anchor": "٢٠٢٦-٠١-٣١"}, "time_invalid: anchor"),
        ({"anchor": "20260131"}, "time_invalid: anchor"),
        ({"anchor": ""}, "time_invalid: anchor"),
        ({"anchor": "1999-12-31"}, "time_invalid: anchor"),
        ({"anchor": "2201-01-01"}, "time_invalid: anchor"),
        ({"anchor": "0001-01-01T00:00:00Z", "timezone": "America/New_York"}, "time_invalid: anchor"),
        ({"anchor": "9999-12-31T23:59:59Z", "timezone": "Europe/Berlin"}, "time_invalid: anchor"),
        ({"interval": "year", "count": "300"}, "time_invalid: at"),
        ({"interval": "year", "count": "10000"}, "time_invalid: at"),
        ({"interval": "fortnight"}, "period_invalid: interval"),
        ({"interval": "MONTH"}, "period_invalid: interval"),
        ({"count": "0"}, "period_invalid: count"),
        ({"count": "10001"}, "period_invalid: count"),
        ({"count": "-1"}, "period_invalid: count"),
        ({"count": "1e3"}, "period_invalid: count"),
        ({"count": "٣"}, "period_invalid: count"),
        ({"count": "9" * 6000}, "period_invalid: count"),
        ({"timezone": "Mars/Olympus"}, "time_zone_unknown: timezone"),
        ({"timezone": "Europe"}, "time_zone_unknown: timezone"),
        ({"timezone": "../../etc/passwd"}, "time_zone_unknown: timezone"),
        ({"timezone": "Europe/Berlin\x00"}, "time_zone_unknown: timezone"),
        ({"timezone": "x" * 5000}, "time_zone_unknown: timezone"),
        ({"timezone": ""}, "time_zone_unknown: timezone"),
    ],
)
def test_the_command_refuses_with_a_code_and_the_field(options: dict[str, str], refusal: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(**options)
    assert str(caught.value).startswith(refusal)
