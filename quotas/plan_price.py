"""What a plan costs with its add-ons, from the terms they are sold at."""

from collections.abc import Iterable
from dataclasses import dataclass

from quotas.catalog.terms import SHIPPED_INTERVAL, Sold
from quotas.errors import NoPrice


@dataclass(frozen=True)
class PlanPrice:
    """Minor units of `currency` for one interval."""

    amount_minor: int
    currency: str
    interval: str


def plan_price(sold: Iterable[tuple[str, Sold, int]], currency: str, interval: str = SHIPPED_INTERVAL) -> PlanPrice:
    """The sum of code, terms and how many of each. Raises NoPrice where one of them has no such price."""
    total = 0
    for code, terms, count in sold:
        price = next((one for one in terms.all_prices() if (one.currency, one.interval) == (currency, interval)), None)
        if price is None:
            raise NoPrice(f"{code} has no price in {currency} a {interval}")
        total += price.amount_minor * count
    return PlanPrice(total, currency, interval)
