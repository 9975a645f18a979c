"""Revenue of today, of this month and of each of the last thirty days, by currency: figures and a bar chart."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from accounts.currencies import EXPONENTS, format_minor
from billing_site.back_office.plots import Tick, percent, scale_over
from ledger import daily_totals

REVENUE_KINDS = ("usage_revenue", "plan_revenue")
DAYS = 30
_GAP = 20  # per cent of a bar's width


@dataclass(frozen=True)
class Bar:
    """A day: its place in per cent of the plot, and what it says."""

    day: date
    amount_minor: int
    left: str
    width: str
    top: str
    height: str
    words: str


@dataclass(frozen=True)
class Revenue:
    """Minor units of a currency; `bars` are the last thirty days, oldest first."""

    currency: str
    today_minor: int
    month_minor: int
    total_minor: int
    bars: list[Bar]
    ticks: list[Tick]
    zero: str

    @property
    def first(self) -> date:
        return self.bars[0].day

    @property
    def last(self) -> date:
        return self.bars[-1].day

    @property
    def middle(self) -> date:
        return self.bars[len(self.bars) // 2].day


def revenue(today: date) -> list[Revenue]:
    """What the book credited to usage and plans, by currency; days are those of the legal entities."""
    begins, month = today - timedelta(days=DAYS - 1), today.replace(day=1)
    sums: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    for total in daily_totals.read(min(begins, month), today, REVENUE_KINDS):
        sums[total.currency][total.day] += total.sum_minor
    days = [begins + timedelta(days=number) for number in range(DAYS)]
    return [_of(currency, by_day, days, month) for currency, by_day in sorted(sums.items())]


def _of(currency: str, by_day: dict[date, int], days: list[date], month: date) -> Revenue:
    amounts = {day: by_day.get(day, 0) for day in days}
    scale = scale_over(amounts.values(), currency)
    bars = []
    for number, (day, amount) in enumerate(amounts.items()):
        words = format_minor(amount, currency) if currency in EXPONENTS else f"{amount:,} {currency}"
        bars.append(
            Bar(
                day,
                amount,
                left=percent(number * 100 + _GAP // 2, DAYS * 100),
                width=percent(100 - _GAP, DAYS * 100),
                top=scale.top(max(amount, 0)),
                height=percent(abs(amount), scale.high - scale.low),
                words=f"{day:%a %Y-%m-%d}: {words}",
            )
        )
    month_minor = sum(amount for day, amount in by_day.items() if day >= month)
    total = sum(amounts.values())
    return Revenue(currency, by_day.get(days[-1], 0), month_minor, total, bars, scale.ticks(), scale.top(0))
