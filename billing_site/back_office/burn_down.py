"""The balance of the last two weeks as a line, and where it goes at the present burn: drawn by the server, exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import BillingAccount, Settlement
from billing_site.back_office.plots import Tick, percent, scale_over
from ledger.chain_search import Chains

PAST, SAMPLES = timedelta(days=14), 56  # every six hours
SHORTEST = timedelta(hours=6)
LONGEST_AHEAD = timedelta(days=14)
DAY = timedelta(days=1)
OWED = ("unbilled", "receivable", "wallet")


@dataclass(frozen=True)
class DayEnd:
    """What stood on the account at a moment, for the table behind the chart."""

    at: datetime
    balance_minor: int


@dataclass(frozen=True)
class BurnDown:
    """Points are `x,y` in a plot of 1000 by 1000; ticks and marks in per cent from the top."""

    balance: str
    projection: str
    zero: str
    threshold: str
    threshold_shown: bool
    ticks: list[Tick]
    begins_at: datetime
    now: datetime
    ends_at: datetime
    now_left: str
    day_ends: list[DayEnd]
    lowest_minor: int
    highest_minor: int


def kinds_of(account: BillingAccount) -> tuple[str, ...]:
    return ("wallet",) if account.settlement == Settlement.PREPAID else OWED


def moments(account: BillingAccount, now: datetime) -> list[datetime]:
    """When the balance is looked at: evenly over the last two weeks, or since the account was opened, and at `now`."""
    begins = max(account.created_at, now - PAST)
    begins = min(begins, now - SHORTEST)
    return [begins + (now - begins) * number / SAMPLES for number in range(SAMPLES + 1)]


def burn_down(
    account: BillingAccount,
    chains: Chains,
    at: Sequence[datetime],
    *,
    threshold_minor: int | None,
    depletes_at: datetime | None,
) -> BurnDown | None:
    """The chart of an account; None before its first entry. A projection further off than two weeks is cut there."""
    if not chains.heads:
        return None
    kinds = kinds_of(account)
    held = [chains.balance_at(moment, kinds) for moment in at]
    now, last = at[-1], held[-1]
    ends, left = now, last
    if depletes_at is not None and depletes_at > now:
        ends = min(depletes_at, now + LONGEST_AHEAD)
        left = last - int(last * ((ends - now) / (depletes_at - now)))
    near = threshold_minor is not None and threshold_minor <= 2 * max([abs(amount) for amount in held] or [0])
    scale = scale_over([*held, *([threshold_minor] if threshold_minor and near else [])], account.currency)
    whole = max(_seconds(ends - at[0]), 1)

    def point(moment: datetime, amount_minor: int) -> str:
        down = (scale.high - amount_minor) * 1000
        return f"{_seconds(moment - at[0]) * 1000 / whole:.1f},{percent(down, 100 * (scale.high - scale.low))}"

    return BurnDown(
        balance=" ".join(point(moment, amount) for moment, amount in zip(at, held, strict=True)),
        projection=f"{point(now, last)} {point(ends, left)}" if ends > now else "",
        zero=scale.top(0),
        threshold=scale.top(threshold_minor) if threshold_minor is not None else "",
        threshold_shown=near,
        ticks=scale.ticks(),
        begins_at=at[0],
        now=now,
        ends_at=ends,
        now_left=percent(_seconds(now - at[0]), whole),
        day_ends=_day_ends(at, held),
        lowest_minor=min(held),
        highest_minor=max(held),
    )


def _day_ends(at: Sequence[datetime], held: Sequence[int]) -> list[DayEnd]:
    """One figure a day, newest first, the last one being now."""
    found, before = [], None
    for moment, amount in reversed(list(zip(at, held, strict=True))):
        if before is None or before - moment >= DAY:
            found.append(DayEnd(moment, amount))
            before = moment
    return found


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
