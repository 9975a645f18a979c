"""The periods of billing_periods.py against a calendar that is walked day by day and a clock that is searched."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotas.billing_periods import Anchor, Interval, Period, period, period_containing, periods

# Changes by an hour in both hemispheres, by half an hour, of a whole day (30 December 2011), and around Ramadan.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca")
# Some zones change at midnight: a day there begins at one o'clock.
AT_MIDNIGHT = ("Asia/Beirut", "America/Havana")
TEN_YEARS = timedelta(days=3653)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BY_MONTH = (Interval.MONTH, Interval.QUARTER, Interval.YEAR)
# Half past two happens twice or not at all when a clock is changed; midnight is where most anchors are.
TIMES = (time(0), time(2, 30), time(23, 59, 59))

reproducible = settings(derandomize=True, deadline=None, print_blob=True)


def walked(first: date, interval: Interval, until: date) -> list[date]:
    """The days on which a period begins, by turning the leaves of a calendar one at a time."""
    found, months, day = [], 0, first
    while day <= until:
        tomorrow = day + DAY
        ends_its_month = tomorrow.month != day.month
        falls_here = day.day == first.day or (ends_its_month and day.day < first.day)
        if interval == Interval.DAY:
            begins = True
        elif interval == Interval.WEEK:
            begins = day.isoweekday() == first.isoweekday()
        elif interval == Interval.MONTH:
            begins = falls_here
        elif interval == Interval.QUARTER:
            begins = falls_here and months % 3 == 0
        else:
            begins = falls_here and day.month == first.month
        if begins:
            found.append(day)
        months += ends_its_month
        day = tomorrow
    return found


@cache
def searched(day: date, at: time, zone: str) -> datetime:
    """The first moment at which clocks of the zone show that time. Where none does, the clock was put forward at one
    moment: as much later than that as the wanted time was later than the clock then."""
    wanted, here = datetime.combine(day, at), ZoneInfo(zone)

    def shown(moment: datetime) -> datetime:
        return moment.astimezone(here).replace(tzinfo=None)

    around = wanted.replace(tzinfo=UTC)
    offsets = {(around + side * 26 * HOUR).astimezone(here).utcoffset() for side in (-1, 1)}
    showing = [moment for offset in offsets if offset is not None and shown(moment := around - offset) == wanted]
    if showing:
        return min(showing)
    quarters = [around + step * HOUR / 4 for step in range(-26 * 4, 26 * 4 + 1)]
    put_forward = quarters[bisect_left(quarters, True, key=lambda moment: shown(moment) > wanted)]
    last_before = put_forward - HOUR / 4
    return last_before + (wanted - shown(last_before))


def brute_force(first: date, at: time, zone: str, interval: Interval, until: date) -> list[datetime]:
    moments = [searched(day, at, zone) for day in walked(first, interval, until)]
    return sorted(set(moments))  # a day that was left out begins where the next one does


def anchored(first: date, at: time, zone: str) -> Anchor:
    return Anchor(datetime.combine(first, at), ZoneInfo(zone))


def ten_years(first: date, at: time, zone: str, interval: Interval) -> None:
    expected = brute_force(first, at, zone, interval, first + TEN_YEARS)
    found = periods(anchored(first, at, zone), interval, len(expected) - 1)
    assert [one.start for one in found] == expected[:-1]
    assert [one.end for one in found] == expected[1:]
    assert_unbroken(found)


def assert_unbroken(found: list[Period]) -> None:
    assert all(one.start < one.end for one in found)
    assert all(one.end == after.start for one, after in pairwise(found))


@pytest.mark.parametrize("interval", BY_MONTH)
@pytest.mark.parametrize("zone", ZONES + AT_MIDNIGHT)
def test_ten_years_from_every_day_of_a_month_are_those_of_the_calendar(zone: str, interval: Interval) -> None:
    for day in range(1, 32):
        for at in TIMES:
            ten_years(date(2008, 1, day), at, zone, interval)


@pytest.mark.parametrize("interval", BY_MONTH)
@pytest.mark.parametrize("zone", ZONES)
def test_ten_years_from_a_leap_day_are_those_of_the_calendar(zone: str, interval: Interval) -> None:
    ten_years(date(2008, 2, 29), time(0), zone, interval)
    ten_years(date(2096, 2, 29), time(0), zone, interval)  # 2100 is no leap year


@pytest.mark.parametrize("interval", [Interval.DAY, Interval.WEEK])
@pytest.mark.parametrize("zone", ZONES + AT_MIDNIGHT)
def test_ten_years_of_days_and_weeks_are_those_of_the_calendar(zone: str, interval: Interval) -> None:
    for day in range(1, 8) if interval == Interval.WEEK else (1,):
        for at in TIMES:
            ten_years(date(2008, 1, day), at, zone, interval)


anchors = st.builds(
    anchored, st.dates(date(2020, 1, 1), date(2150, 1, 1)), st.times(), st.sampled_from(ZONES + AT_MIDNIGHT)
)
intervals = st.sampled_from(Interval)


@reproducible
@given(anchors, intervals, st.timedeltas(timedelta(days=-15 * 365), timedelta(days=45 * 365)))
def test_every_moment_lies_in_exactly_the_period_that_says_so(
    anchor: Anchor, interval: Interval, away: timedelta
) -> None:
    at = anchor.moment + away
    found = period_containing(anchor, interval, at)
    assert found.start <= at < found.end
    assert period_containing(anchor, interval, found.start) == found
    assert period_containing(anchor, interval, found.end - timedelta(microseconds=1)) == found
    assert period_containing(anchor, interval, found.end).start == found.end


@reproducible
@given(anchors, intervals, st.integers(1, 18))
def test_periods_before_the_anchor_meet_those_after_it(anchor: Anchor, interval: Interval, back: int) -> None:
    found = [period(anchor, interval, number) for number in range(-back, 3)]
    assert_unbroken(found)
    assert found[back].start == anchor.moment
