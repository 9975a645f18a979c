"""The clock. Doors read it once and hand the moment on as `at=`; no rule reads it."""

from datetime import UTC, datetime

from accounts.errors import TimeInvalid

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """This moment, UTC, from the machine's clock."""
    return datetime.now(UTC)


def check_moment(moment: datetime, *, field: str = "at") -> datetime:
    """A moment with a time zone between 2000 and 2200, as UTC. Raises TimeInvalid."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise TimeInvalid("give a moment with its time zone", field=field)
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise TimeInvalid("the moment is out of range", field=field) from None
    if not EARLIEST <= moment < LATEST:
        raise TimeInvalid("the moment must lie between the years 2000 and 2200", field=field)
    return moment


def parse_moment(text: str, *, field: str = "at") -> datetime:
    """RFC 3339 text as UTC. Raises TimeInvalid."""
    try:
        return check_moment(datetime.fromisoformat(text), field=field)
    except (ValueError, TypeError):
        raise TimeInvalid("write the moment as 2026-01-31T12:00:00Z", field=field) from None
