"""What a quantity costs by each price model. Quantities and rates are exact; nothing is rounded here.

Nothing used costs nothing: fees and packs begin with the first fraction of a unit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from quotas.pricing.exact import HUNDRED, packs
from quotas.pricing.lines import Line

ZERO = Decimal(0)


@dataclass(frozen=True)
class Flat:
    """The same rate for every unit; `fee` once, where anything was used."""

    rate: Decimal
    fee: Decimal = ZERO

    def lines(self, quantity: Decimal) -> Iterator[Line]:
        if quantity:
            yield Line("flat", quantity * self.rate, quantity, self.rate)
            yield from _fee(self.fee)


@dataclass(frozen=True)
class Tier:
    """Units above the tier before, up to and with `up_to` (None: without end)."""

    up_to: Decimal | None
    rate: Decimal
    fee: Decimal = ZERO


@dataclass(frozen=True)
class Graduated:
    """Each unit at the rate of the tier it lies in; a tier's fee once anything lies in it."""

    tiers: tuple[Tier, ...]

    def lines(self, quantity: Decimal) -> Iterator[Line]:
        over = ZERO
        for tier in self.tiers:
            held = (quantity if tier.up_to is None else min(quantity, tier.up_to)) - over
            if held <= 0:
                return
            yield _of_tier(tier, held, over)
            over += held


@dataclass(frozen=True)
class Volume:
    """All units at the rate of the tier in which the quantity ends. More may cost less: that is this model's point."""

    tiers: tuple[Tier, ...]

    def lines(self, quantity: Decimal) -> Iterator[Line]:
        over = ZERO
        for tier in self.tiers:
            if tier.up_to is None or quantity <= tier.up_to:
                if quantity:
                    yield _of_tier(tier, quantity, over)
                return
            over = tier.up_to


@dataclass(frozen=True)
class Package:
    """Whole packs: the last one is paid for in full however little of it is used."""

    size: Decimal
    price: Decimal

    def lines(self, quantity: Decimal) -> Iterator[Line]:
        if quantity:
            count = Decimal(packs(quantity, self.size))
            yield Line("package", count * self.price, count, self.price, name=f"packs of {self.size:f}")


@dataclass(frozen=True)
class Percentage:
    """A share of an amount in major units (the quantity); `fee` once, where the amount is not zero."""

    percent: Decimal
    fee: Decimal = ZERO

    def lines(self, quantity: Decimal) -> Iterator[Line]:
        if quantity:
            yield Line("percentage", quantity * self.percent / HUNDRED, quantity, self.percent, name="percent")
            yield from _fee(self.fee)


Charge = Flat | Graduated | Volume | Package | Percentage


def _of_tier(tier: Tier, held: Decimal, over: Decimal) -> Line:
    fee = tier.fee if tier.fee else None
    return Line("tier", held * tier.rate + tier.fee, held, tier.rate, fee, over, tier.up_to)


def _fee(fee: Decimal) -> Iterator[Line]:
    if fee:
        yield Line("fee", fee)
