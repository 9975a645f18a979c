"""Pricing usage: free units, rates, discounts, maximum, minimum, commitment, in this order; rounded half up once.

Source of the rounding: decisions.md, "Rounding half up, once per line".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from quotas.pricing.commitments import Drawdown, draw
from quotas.pricing.discounts import discount_lines
from quotas.pricing.exact import exactly, to_minor
from quotas.pricing.lines import Line, numbered, total
from quotas.pricing.prices import Price, Rate


@dataclass(frozen=True)
class Usage:
    """A quantity of one period, and what its dimensions were. Labels that the price does not know are left alone."""

    quantity: Decimal
    dimensions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SoFar:
    """What earlier periods of the term used: which period this is (from 1), what of the commitment is drawn
    (minor units), how often each discount was taken."""

    period: int = 1
    drawn_minor: int = 0
    uses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Quote:
    """`amount` is exact, major units; `amount_minor` is it rounded, and what the lines' minor units add up to."""

    currency: str
    amount: Decimal
    amount_minor: int
    lines: tuple[Line, ...]
    drawdown: Drawdown | None
    so_far: SoFar  # for the period that follows


def quote(price: Price, usages: Iterable[Usage], *, at: datetime, so_far: SoFar | None = None) -> Quote:
    """Price the usage of one period, billed at a moment. Raises AmountInvalid beyond 10^15 minor units."""
    so_far = so_far or SoFar()
    with exactly():
        used = list(_used(price, usages))
        discounts, uses = discount_lines(price.discounts, total(used), at=at, used=so_far.uses)
        bounded = [*used, *discounts]
        bounded += _bounds(price, total(bounded))
        drawn, drawdown = _drawn(price, total(bounded), so_far)
        lines = numbered([*bounded, *drawn], price.currency)
        amount = total(lines)
    after = SoFar(so_far.period + 1, drawdown.drawn_minor if drawdown else so_far.drawn_minor, uses)
    return Quote(price.currency, amount, to_minor(amount, price.currency), lines, drawdown, after)


def quote_term(
    price: Price, periods: Sequence[tuple[datetime, Iterable[Usage]]], *, so_far: SoFar | None = None
) -> list[Quote]:
    """Price period after period, each billed at its moment: commitments draw down and counted discounts run out."""
    quotes: list[Quote] = []
    for at, usages in periods:
        quotes.append(quote(price, usages, at=at, so_far=quotes[-1].so_far if quotes else so_far))
    return quotes


def _used(price: Price, usages: Iterable[Usage]) -> Iterable[Line]:
    """Free units come off first, in the order of the rates; each rate then prices the sum of what fell to it."""
    free = price.free_units
    for rate, quantity in _by_rate(price, usages):
        given = min(free, quantity)
        free -= given
        if given:
            yield Line("free_units", Decimal(0), given, match=rate.value)
        for line in rate.charge.lines(quantity - given):
            yield replace(line, match=rate.value)


def _by_rate(price: Price, usages: Iterable[Usage]) -> list[tuple[Rate, Decimal]]:
    sums = dict.fromkeys(price.rates, Decimal(0))
    for usage in usages:
        sums[price.rate_for(usage.dimensions)] += usage.quantity
    return list(sums.items())


def _bounds(price: Price, amount: Decimal) -> Iterable[Line]:
    """The maximum cuts, the minimum tops up; a price whose minimum is above its maximum is not read."""
    if price.maximum is not None and amount > price.maximum:
        yield Line("maximum", price.maximum - amount)
    if price.minimum is not None and amount < price.minimum:
        yield Line("minimum_true_up", price.minimum - amount)


def _drawn(price: Price, amount: Decimal, so_far: SoFar) -> tuple[tuple[Line, ...], Drawdown | None]:
    if price.commitment is None:
        return (), None
    return draw(price.commitment, amount, price.currency, drawn_minor=so_far.drawn_minor, period=so_far.period)
