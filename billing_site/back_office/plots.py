"""Scales of charts: round figures on an axis, and places in per cent of the plot. Exact, in minor units."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from accounts.currencies import EXPONENTS, format_minor

_STEPS = (1, 2, 5)
LINES = 4


@dataclass(frozen=True)
class Tick:
    """A line across the plot: how far from the top, in per cent, and what it says."""

    top: str
    label: str


@dataclass(frozen=True)
class Scale:
    """From `low` at the bottom to `high` at the top, in minor units; both are multiples of `step`."""

    low: int
    high: int
    step: int
    currency: str

    def top(self, amount_minor: int) -> str:
        """Per cent from the top."""
        return percent(self.high - amount_minor, self.high - self.low)

    def ticks(self) -> list[Tick]:
        return [
            Tick(self.top(amount), short(amount, self.currency)) for amount in range(self.low, self.high + 1, self.step)
        ]


def scale_over(amounts: Iterable[int], currency: str) -> Scale:
    """A scale that holds all amounts and zero."""
    found = [0, *amounts]
    low, high = min(found), max(found)
    step = _step(max(high - low, 1))
    low, high = low // step * step, -(-high // step) * step
    return Scale(low, max(high, low + step), step, currency)


def percent(part: int, whole: int) -> str:
    """Per cent with three places, for a coordinate."""
    return f"{Decimal(100 * part) / Decimal(whole):.3f}" if whole else "0"


def short(amount_minor: int, currency: str) -> str:
    """An amount on an axis: without its currency, and without a fraction that is zero."""
    if currency not in EXPONENTS:
        return f"{amount_minor:,}"
    figure = format_minor(amount_minor, currency).removesuffix(f" {currency}")
    whole, _, fraction = figure.partition(".")
    return figure if fraction.strip("0") else whole


def _step(spread: int) -> int:
    """The smallest round step that takes at most LINES lines over the spread."""
    size = 1
    while True:
        for factor in _STEPS:
            if factor * size * LINES >= spread:
                return factor * size
        size *= 10
