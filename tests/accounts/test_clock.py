"""Moments: with a time zone, between 2000 and 2200, always handed on as UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.clock import check_moment, now, parse_moment
from accounts.errors import TimeInvalid
from tests.cast import NOON

AHEAD = timezone(timedelta(hours=14))
BEHIND = timezone(-timedelta(hours=12))


@pytest.mark.parametrize(
    "moment",
    [
        NOON.replace(tzinfo=None),
        datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2200, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
        datetime.max.replace(tzinfo=BEHIND),
        datetime.min.replace(tzinfo=AHEAD),
        datetime(2200, 1, 1, 11, tzinfo=AHEAD) + timedelta(hours=3),
        "2026-03-10T12:00:00Z",
        1767225600,
        None,
        NOON.date(),
    ],
    ids=repr,
)
def test_a_moment_that_cannot_be_meant_is_refused(moment: object) -> None:
    with pytest.raises(TimeInvalid) as refused:
        check_moment(moment, field="value_date")  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.field, refused.value.status) == ("time_invalid", "value_date", 422)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_moment_stays_the_same_moment_in_utc(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    checked = check_moment(moment)
    assert checked == moment
    assert checked.tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-03-10T12:00:00Z", "2026-03-10T12:00:00+00:00", "2026-03-10T07:00:00-05:00"])
def test_a_written_moment_is_read(text: str) -> None:
    assert parse_moment(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2026-03-10T12:00:00",
        "2026-02-30T12:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        5,
        None,
    ],
)
def test_what_is_not_a_moment_is_refused(text: object) -> None:
    with pytest.raises(TimeInvalid) as refused:
        parse_moment(text, field="at")  # type: ignore[arg-type]
    assert refused.value.code == "time_invalid"


def test_the_clock_speaks_utc() -> None:
    assert check_moment(now()).utcoffset() == timedelta(0)
