"""Discounts: a share or a fixed amount, between two moments, or a number of times."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from quotas.pricing.exact import HUNDRED
from quotas.pricing.lines import Line


@dataclass(frozen=True)
class Discount:
    """Exactly one of `percent` and `amount` (major units). In force over [starts, ends), for at most `times` quotes."""

    name: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    times: int | None = None

    def in_force(self, at: datetime, used: int) -> bool:
        begun = self.starts is None or self.starts <= at
        over = self.ends is not None and at >= self.ends
        return begun and not over and (self.times is None or used < self.times)

    def off(self, amount: Decimal) -> Decimal:
        """What it takes off an amount: never more than there is."""
        if self.percent is not None:
            return amount * self.percent / HUNDRED
        return min(amount, self.amount or Decimal(0))


def discount_lines(
    discounts: tuple[Discount, ...], amount: Decimal, *, at: datetime, used: Mapping[str, int]
) -> tuple[tuple[Line, ...], dict[str, int]]:
    """The discounts in the order given, each on what the ones before it left; and how often each is used now.

    One that has nothing to take is not used up.
    """
    lines, uses = [], dict(used)
    for discount in discounts:
        off = discount.off(amount) if discount.in_force(at, uses.get(discount.name, 0)) else Decimal(0)
        if off:
            amount -= off
            uses[discount.name] = uses.get(discount.name, 0) + 1
            lines.append(Line("discount", -off, rate=discount.percent, name=discount.name))
    return tuple(lines), uses
