"""A price for usage: whom it is for, its rates by dimension, and what is done to the amount afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from quotas.pricing.charges import Charge
from quotas.pricing.commitments import Commitment
from quotas.pricing.discounts import Discount


@dataclass(frozen=True)
class Audience:
    """Whom a price is for: one account, a segment of customers, or, with neither, everybody."""

    account: str = ""
    segment: str = ""

    def __str__(self) -> str:
        if self.account:
            return f"account {self.account}"
        return f"segment {self.segment}" if self.segment else "everybody"


EVERYBODY = Audience()


@dataclass(frozen=True)
class Rate:
    """A charge for usage whose `dimension` has `value`; without a dimension, the catch-all."""

    charge: Charge
    dimension: str = ""
    value: str = ""

    def fits(self, dimensions: Mapping[str, str]) -> bool:
        return not self.dimension or dimensions.get(self.dimension) == self.value


@dataclass(frozen=True)
class Price:
    """How usage of one metric is priced in one currency; amounts in major units."""

    currency: str
    rates: tuple[Rate, ...]
    metric: str = ""
    dimensions: tuple[str, ...] = ()
    audience: Audience = EVERYBODY
    free_units: Decimal = Decimal(0)
    discounts: tuple[Discount, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    commitment: Commitment | None = None

    def rate_for(self, dimensions: Mapping[str, str]) -> Rate:
        """The first rate whose match fits, in the order written; the catch-all where none does."""
        ranked = sorted(self.rates, key=lambda rate: not rate.dimension)  # stable: the catch-all goes last
        return next(rate for rate in ranked if rate.fits(dimensions))


@dataclass(frozen=True)
class PriceList:
    """The prices of several metrics, as an offer publishes them: every metric has a price for everybody."""

    currency: str
    prices: tuple[Price, ...]

    def price_for(self, metric: str, *, account: str = "", segment: str = "") -> Price | None:
        """The most specific price of a metric: the account's, its segment's, everybody's. None: it has none."""
        found = {price.audience: price for price in self.prices if price.metric == metric}
        wanted = [Audience(account=account)] * bool(account) + [Audience(segment=segment)] * bool(segment)
        return next((found[audience] for audience in (*wanted, EVERYBODY) if audience in found), None)
