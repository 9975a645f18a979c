"""The rule of accrual for one allocation, stated in plain Python: pure, exact, and held equal to accrual.sql by a test.

Rules and their numbers: docs/postings.md, "Accrual".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Segment:
    """A stretch of an allocation in which rate version, quantity and account stay the same; `ends_at` may be open."""

    starts_at: datetime
    ends_at: datetime | None
    rate_per_unit_hour: Decimal
    quantity: Decimal
    exponent: int
    account_id: int


@dataclass(frozen=True)
class Window:
    """One rated window. Its cost, charged or waived, telescopes: windows add up to the cost of their segment."""

    account_id: int
    interval_start: datetime
    interval_end: datetime
    cost_minor: int
    waived_minor: int = 0


def cost_until(segment: Segment, moment: datetime) -> int:
    """Half-up of rate × quantity × seconds since the segment began, in minor units (rule 3; no rounded quotient)."""
    elapsed = Fraction((moment - segment.starts_at) // timedelta(microseconds=1), 1_000_000)
    product = Fraction(segment.rate_per_unit_hour) * Fraction(segment.quantity) * elapsed * 10**segment.exponent
    return int((2 * product + 3600) // 7200)


def window_end(moment: datetime, window_seconds: int) -> datetime:
    """The end of the window a moment lies in: the next grid point from the Unix epoch, cut at the month's end (UTC)."""
    width = timedelta(seconds=window_seconds)
    grid = EPOCH + ((moment - EPOCH) // width + 1) * width
    return min(grid, _next_month(moment))


@dataclass(frozen=True)
class Tail:
    """Usage of an account in [starts_at, ends_at) that an outage of ours failed to stop, and that is waived."""

    account_id: int
    starts_at: datetime
    ends_at: datetime


def due_windows(
    segments: Sequence[Segment],
    *,
    accrued_to: datetime,
    window_seconds: int,
    at: datetime,
    tails: Sequence[Tail] = (),
) -> Iterator[Window]:
    """Every window that is due at `at` and not yet billed, oldest first (rules 1, 2 and 7), waived inside tails."""
    for segment in segments:
        start = max(segment.starts_at, accrued_to)
        while segment.ends_at is None or start < segment.ends_at:
            end = window_end(start, window_seconds)
            if segment.ends_at is not None:
                end = min(end, segment.ends_at)
            own = [tail for tail in tails if tail.account_id == segment.account_id]
            end = min([end, *(edge for edge in _edges(own) if start < edge < end)])
            if end > at:
                return
            cost = cost_until(segment, end) - cost_until(segment, start)
            waived = _covered(own, start)
            yield Window(segment.account_id, start, end, 0 if waived else cost, cost if waived else 0)
            start = end


def _covered(tails: Sequence[Tail], moment: datetime) -> bool:
    return any(tail.starts_at <= moment < tail.ends_at for tail in tails)


def _edges(tails: Sequence[Tail]) -> list[datetime]:
    """Where waiving begins or ends; tails that overlap or meet are one."""
    ends = [moment for tail in tails for moment in (tail.starts_at, tail.ends_at)]
    return [
        moment
        for moment in ends
        if _covered(tails, moment) != any(tail.starts_at < moment <= tail.ends_at for tail in tails)
    ]


def _next_month(moment: datetime) -> datetime:
    first = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)
