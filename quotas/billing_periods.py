"""Billing periods: half-open [start, end), counted from an anchor on the wall clock of the account's time zone.

Every boundary is computed from the anchor, never from the boundary before it, so a month's end does not drift:
31 January, 28 or 29 February, 31 March; a 29 February anchored yearly comes back in leap years.

Where the clock is changed, the rule is RFC 5545, section 3.3.5 (form 3), which PEP 495 calls fold=0: a local time that
happens twice is the first of the two, one that does not happen is read with the offset before the gap, that is later
by the length of the gap. The anchor itself is the moment that was given, whichever of the two it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from itertools import count as numbers_from
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from accounts.errors import TimeInvalid
from quotas.errors import PeriodInvalid

YEARS = range(2000, 2201)  # both named years included; local


class Interval(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


# relativedelta keeps the anchor's day and takes the month's last where it has none.
_STEP = {
    Interval.DAY: relativedelta(days=1),
    Interval.WEEK: relativedelta(weeks=1),
    Interval.MONTH: relativedelta(months=1),
    Interval.QUARTER: relativedelta(months=3),
    Interval.YEAR: relativedelta(years=1),
}
_DAYS = {Interval.DAY: 1, Interval.WEEK: 7}
_MONTHS = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}


@dataclass(frozen=True)
class Anchor:
    """Where periods begin: a wall-clock time (naive; its `fold` says which of two) in a time zone."""

    local: datetime
    zone: ZoneInfo

    @classmethod
    def at(cls, moment: datetime, zone: ZoneInfo) -> "Anchor":
        """The wall-clock time that a moment has in the zone. Raises TimeInvalid."""
        try:
            return cls._checked(moment.astimezone(zone).replace(tzinfo=None), zone)
        except OverflowError:
            raise _out_of_range("anchor") from None

    @classmethod
    def on(cls, day: date, zone: ZoneInfo) -> "Anchor":
        """Midnight, where the local day begins. Raises TimeInvalid."""
        return cls._checked(datetime.combine(day, time.min), zone)

    @classmethod
    def _checked(cls, local: datetime, zone: ZoneInfo) -> "Anchor":
        if local.year not in YEARS:
            raise _out_of_range("anchor")
        return cls(local, zone)

    @property
    def moment(self) -> datetime:
        """UTC."""
        return self.local.replace(tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Period:
    """[start, end) in UTC. Period 0 starts at the anchor; numbers below 0 lie before it."""

    number: int
    start: datetime
    end: datetime
    zone: ZoneInfo

    @property
    def starts_on(self) -> date:
        """The local day in which the first moment lies."""
        return self.start.astimezone(self.zone).date()

    @property
    def ends_on(self) -> date:
        """The local day of the end, which is the first moment outside."""
        return self.end.astimezone(self.zone).date()


def period(anchor: Anchor, interval: Interval, number: int) -> Period:
    """The period of that number. Raises TimeInvalid out of 2000 to 2200, and PeriodInvalid for the one day that a zone
    left out (30 December 2011 in Pacific/Apia): it has no moment to bill."""
    found = _between(anchor, interval, number)
    if found.start == found.end:
        raise PeriodInvalid(f"{anchor.zone.key} left that day out: the period would be empty", field="number")
    return found


def period_containing(anchor: Anchor, interval: Interval, at: datetime) -> Period:
    """The period with start <= at < end: estimated from the calendar, then corrected by a step or two."""
    number = _estimate(anchor, interval, at.astimezone(anchor.zone).date())
    while _boundary(anchor, interval, number) > at:
        number -= 1
    while _boundary(anchor, interval, number + 1) <= at:
        number += 1
    return period(anchor, interval, number)


def periods(anchor: Anchor, interval: Interval, count: int) -> list[Period]:
    """The first `count` periods from the anchor on, each beginning where the one before it ends; none is empty."""
    walk = _walk(anchor, interval)
    return [next(walk) for _ in range(count)]


def _walk(anchor: Anchor, interval: Interval) -> Iterator[Period]:
    found = (_between(anchor, interval, number) for number in numbers_from(0))
    return (candidate for candidate in found if candidate.start < candidate.end)


def _between(anchor: Anchor, interval: Interval, number: int) -> Period:
    start, end = (_boundary(anchor, interval, step) for step in (number, number + 1))
    return Period(number, start, end, anchor.zone)


def _boundary(anchor: Anchor, interval: Interval, number: int) -> datetime:
    if number == 0:
        return anchor.moment
    try:
        local = anchor.local + number * _STEP[interval]
    except (OverflowError, ValueError):  # beyond the year 9999, or before 1
        raise _out_of_range("at") from None
    if local.year not in YEARS:
        raise _out_of_range("at")
    return local.replace(tzinfo=anchor.zone, fold=0).astimezone(UTC)


def _estimate(anchor: Anchor, interval: Interval, day: date) -> int:
    if interval in _DAYS:
        return (day - anchor.local.date()).days // _DAYS[interval]
    months = (day.year - anchor.local.year) * 12 + day.month - anchor.local.month
    return months // _MONTHS[interval]


def _out_of_range(field: str) -> TimeInvalid:
    return TimeInvalid("billing periods lie in the years 2000 to 2200", field=field)
