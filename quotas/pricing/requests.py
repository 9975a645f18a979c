"""A question to price_quantity: a price, a quantity or one a period, and what earlier periods used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quotas.pricing.exact import to_minor
from quotas.pricing.faults import Fault, Faults, PriceInvalid
from quotas.pricing.fields import ABSENT, Fields
from quotas.pricing.prices import Price
from quotas.pricing.quotes import Quote, SoFar, Usage, quote_term
from quotas.pricing.reading_prices import read_price, read_price_list
from quotas.pricing.reading_rules import most_major

MOST_PERIODS = 1200
MOST_USAGES = 10_000
_SPELLINGS = {
    "quantity": ("amount", "units"),
    "quantities": ("periods",),
    "price": ("model",),
    "price_list": ("offer",),
    "drawn": ("commitment_drawn",),
    "uses": ("discounts_used",),
}
_OWN_KEYS = (
    *("quantity", "amount", "units", "quantities", "usage", "dimensions", "at"),
    *("metric", "account", "segment", "period", "drawn", "uses"),
)


@dataclass(frozen=True)
class Question:
    """The price that applies, the usage of each period with the moment it is billed, and what was used before."""

    price: Price
    periods: Sequence[tuple[datetime, Sequence[Usage]]]
    so_far: SoFar
    several: bool  # whether periods were asked for, if only one

    def answer(self) -> list[Quote]:
        """One quote a period. Raises AmountInvalid."""
        return quote_term(self.price, self.periods, so_far=self.so_far)


def read_question(document: object, *, at: datetime) -> Question:
    """Read it; `at` is when it is billed where it does not say. Raises PriceInvalid with every fault."""
    faults = Faults()
    fields = Fields(_gathered(document), "", faults, _SPELLINGS)
    faults.raise_any()
    price = _price(fields, faults)
    billed_at = fields.moment("at") or at
    several = fields.has("quantities")
    periods = _periods(fields, billed_at, faults)
    so_far = _so_far(fields, price, faults) if price else SoFar()
    fields.done()
    if price and price.commitment and so_far.period + len(periods) - 1 > price.commitment.periods:
        faults.add("period", "after_the_term", f"the term has {price.commitment.periods} periods")
    faults.raise_any()
    if price is None:  # without faults there is a price
        raise PriceInvalid([Fault("price", "required", "it is missing")])
    return Question(price, periods, so_far, several)


def _gathered(document: object) -> object:
    """A price written beside its quantity, in one object, is put into an object of its own."""
    if not isinstance(document, dict) or any(isinstance(document.get(key), dict | list) for key in _OF_PRICES):
        return document
    own = {key: value for key, value in document.items() if key in _OWN_KEYS}
    price = {key: value for key, value in document.items() if key not in _OWN_KEYS or key == "metric"}
    return {**own, **({"price": price} if price else {})}


_OF_PRICES = ("price", "model", "price_list", "offer", "prices")


def _price(fields: Fields, faults: Faults) -> Price | None:
    metric, account, segment = (fields.text(key, default="") for key in ("metric", "account", "segment"))
    currency = fields.take("currency")
    listed = fields.take("price_list")
    if listed is ABSENT and fields.has("prices"):
        listed = {"prices": fields.take("prices")}
    with_currency: Any = {} if currency is ABSENT else {"currency": currency}
    try:
        if listed is ABSENT:
            document = fields.take("price")
            if document is ABSENT:
                fields.fault("price", "required", "it is missing")
                return None
            return read_price(_with(document, with_currency), path="price")
        prices = read_price_list(_with(listed, with_currency), path="")
    except PriceInvalid as error:
        for fault in error.faults:
            faults.add(fault.path, fault.code, fault.reason)
        return None
    metrics = {price.metric for price in prices.prices}
    found = prices.price_for(metric or min(metrics) if len(metrics) == 1 else metric, account=account, segment=segment)
    if found is None:
        fields.fault("metric", "unknown_metric", f"write one of {', '.join(sorted(metrics))[:200]}")
    return found


def _with(document: object, currency: dict[str, Any]) -> object:
    """The currency may stand beside the price instead of in it."""
    inside = isinstance(document, dict) and not {"currency", "currencyCode", "currency_code"} & document.keys()
    return {**document, **currency} if isinstance(document, dict) and inside else document


def _periods(fields: Fields, at: datetime, faults: Faults) -> Sequence[tuple[datetime, Sequence[Usage]]]:
    given = [key for key in ("quantity", "quantities", "usage") if fields.has(key)]
    if len(given) != 1:
        code = "ambiguous" if given else "required"
        fields.fault("quantity", code, "write a quantity, quantities (one a period), or usage (a list), once")
        return []
    if given == ["quantities"]:
        return fields.items("quantities", lambda member, path: _period(member, path, at, faults), most=MOST_PERIODS)
    if given == ["usage"]:
        return [(at, fields.items("usage", lambda member, path: _usage(member, path, faults), most=MOST_USAGES))]
    quantity = fields.number("quantity", below=10**15)
    return [(at, [Usage(quantity, _labels(fields))])]


def _period(member: object, path: str, at: datetime, faults: Faults) -> tuple[datetime, Sequence[Usage]]:
    """A plain quantity, or an object that also says dimensions and when it is billed."""
    fields = Fields(member if isinstance(member, dict) else {"quantity": member}, path, faults, _SPELLINGS)
    billed_at = fields.moment("at") or at
    if fields.has("usage"):
        usages = fields.items("usage", lambda inner, where: _usage(inner, where, faults), most=MOST_USAGES)
    else:
        usages = [Usage(fields.number("quantity", below=10**15), _labels(fields))]
    fields.done()
    return billed_at, usages


def _usage(member: object, path: str, faults: Faults) -> Usage:
    fields = Fields(member if isinstance(member, dict) else {"quantity": member}, path, faults, _SPELLINGS)
    usage = Usage(fields.number("quantity", below=10**15), _labels(fields))
    fields.done()
    return usage


def _labels(fields: Fields) -> dict[str, str]:
    given = fields.take("dimensions")
    if given is ABSENT or given is None:
        return {}
    inner = Fields(given, fields.at("dimensions"), fields.faults)
    return {name: inner.text(name) for name in (given if inner.is_object else ()) if isinstance(name, str)}


def _so_far(fields: Fields, price: Price, faults: Faults) -> SoFar:
    period = fields.whole("period", default=1, most=MOST_PERIODS) or 1
    drawn = fields.optional_number("drawn", below=most_major(price.currency))
    uses: dict[str, int] = {}
    given = fields.take("uses")
    if given is not ABSENT:
        inner = Fields(given, fields.at("uses"), faults)
        names = {discount.name for discount in price.discounts}
        uses = {name: int(inner.number(name, below=10**6, places=0)) for name in names if inner.has(name)}
        inner.done()
    drawn_minor = to_minor(drawn, price.currency) if drawn else 0
    if drawn_minor and (price.commitment is None or drawn_minor > price.commitment.amount_minor):
        fields.fault("drawn", "beyond_the_commitment", "more is drawn than is committed")
    return SoFar(period, drawn_minor, uses)
