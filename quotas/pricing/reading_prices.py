"""Reading a price and a list of prices. Whatever could fail to bill later is a fault here."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from accounts.currencies import EXPONENTS
from quotas.pricing.faults import Faults
from quotas.pricing.fields import ABSENT, Fields, is_text
from quotas.pricing.prices import EVERYBODY, Audience, Price, PriceList, Rate
from quotas.pricing.reading_charges import CHARGE_SPELLINGS, NOTHING, read_charge, says_charge
from quotas.pricing.reading_rules import most_major, read_audience, read_commitment, read_discounts

MOST_RATES = 200
MOST_PRICES = 1000
MOST_DIMENSIONS = 32  # contracts.md 000.1, MeterDefinition

PRICE_SPELLINGS = {
    **CHARGE_SPELLINGS,
    "currency": ("currencyCode", "currency_code"),
    "metric": ("meter", "meterName"),
    "minimum": ("min", "minimum_amount"),
    "maximum": ("max", "maximum_amount", "cap"),
    "free_units": ("free", "included_units"),
    "for": ("audience",),
}


def read_price(document: object, *, path: str = "price", meters: Mapping[str, Sequence[str]] | None = None) -> Price:
    """One price. `meters`: as of read_price_list. Raises PriceInvalid with every fault."""
    faults = Faults()
    price = _price(document, path, faults, "", meters)
    faults.raise_any()
    return price


def read_price_list(
    document: object, *, path: str = "", meters: Mapping[str, Sequence[str]] | None = None
) -> PriceList:
    """A list of prices, one currency. `meters` holds the declared dimensions of each metric, where they are known.

    Raises PriceInvalid with every fault.
    """
    faults = Faults()
    fields = Fields(document, path, faults, {"currency": ("currencyCode",)})
    currency = _currency(fields, "")
    prices = fields.items("prices", lambda member, at: _price(member, at, faults, currency, meters), most=MOST_PRICES)
    fields.done()
    _each_metric_has_one_default(prices, fields.at("prices"), faults)
    faults.raise_any()
    return PriceList(currency, tuple(prices))


def _price(
    document: object, path: str, faults: Faults, currency: str, meters: Mapping[str, Sequence[str]] | None = None
) -> Price:
    fields = Fields(document, path, faults, PRICE_SPELLINGS)
    if not fields.is_object:
        return Price(currency, (Rate(NOTHING),))
    code = _currency(fields, currency)
    metric = fields.text("metric", default="" if meters is None else None)
    dimensions = _dimensions(fields, metric, meters)
    most = most_major(code)
    price = Price(
        currency=code,
        metric=metric,
        dimensions=dimensions,
        audience=read_audience(fields),
        rates=_rates(fields, dimensions),
        free_units=fields.number("free_units", default=Decimal(0), below=10**15),
        discounts=read_discounts(fields, most),
        minimum=fields.optional_number("minimum", below=most),
        maximum=fields.optional_number("maximum", below=most),
        commitment=read_commitment(fields, code),
    )
    if price.minimum is not None and price.maximum is not None and price.minimum > price.maximum:
        fields.fault("minimum", "minimum_above_maximum", "the minimum is above the maximum")
    fields.done()
    return price


def _currency(fields: Fields, otherwise: str) -> str:
    code = fields.take("currency")
    if code is ABSENT and otherwise:
        return otherwise
    if code is ABSENT:
        fields.fault("currency", "required", "it is missing")
    elif not isinstance(code, str) or code not in EXPONENTS:
        fields.fault("currency", "currency_unknown", "it is no ISO 4217 currency code in use, such as USD")
    elif otherwise and code != otherwise:
        fields.fault("currency", "currency_mismatch", f"the list is kept in {otherwise}")
    else:
        return code
    return ""


def _dimensions(fields: Fields, metric: str, meters: Mapping[str, Sequence[str]] | None) -> tuple[str, ...]:
    """What the meter declares; without one, what the price declares itself."""
    if fields.has("dimensions"):
        reader = fields.faults
        named = fields.items("dimensions", lambda name, path: _name(name, path, reader), most=MOST_DIMENSIONS, least=0)
        if len(set(named)) < len(named):
            fields.fault("dimensions", "duplicate_dimension", "a dimension is declared twice")
    else:
        named = []
    if meters is None or not metric:
        return tuple(named)
    if metric not in meters:
        fields.fault("metric", "unknown_metric", f"there is no published meter {metric}")
        return tuple(named)
    for name in set(named) - set(meters[metric]):
        fields.fault("dimensions", "undeclared_dimension", f"the meter {metric} does not declare {name}")
    return tuple(meters[metric])


def _name(value: object, path: str, faults: Faults) -> str:
    if is_text(value, 64):
        return str(value)
    faults.add(path, "text_invalid", "write a name of 1 to 64 characters")
    return ""


def _rates(fields: Fields, dimensions: Sequence[str]) -> tuple[Rate, ...]:
    """Either one charge for all usage, or a list of rates matched by dimension."""
    if not fields.has("rates"):
        return (Rate(read_charge(fields)),)
    if says_charge(fields):
        fields.fault("rates", "ambiguous", "a price has one charge, or a list of rates, not both")
    faults, declared = fields.faults, set(dimensions)
    rates = fields.items("rates", lambda member, path: _rate(member, path, faults, declared), most=MOST_RATES)
    seen: set[tuple[str, str]] = set()
    for place, rate in enumerate(rates):
        key = (rate.dimension, rate.value)
        if key in seen and rate.dimension:
            faults.add(f"{fields.at('rates')}[{place}].match", "duplicate_match", f"{rate.value!r} is matched twice")
        seen.add(key)
    open_rates = sum(not rate.dimension for rate in rates)
    if open_rates != 1 and rates:
        code = "several_catch_alls" if open_rates else "no_catch_all"
        fields.fault("rates", code, f"exactly one rate has no match, to catch the rest; {open_rates} have none")
    return tuple(rates) or (Rate(NOTHING),)


def _rate(document: object, path: str, faults: Faults, declared: set[str]) -> Rate:
    fields = Fields(document, path, faults, CHARGE_SPELLINGS)
    if not fields.is_object:
        return Rate(NOTHING)
    match, dimension, value = fields.take("match"), "", ""
    if match is not ABSENT and match is not None:
        inner = Fields(match, fields.at("match"), faults)
        if inner.is_object:
            dimension, value = inner.text("dimension"), inner.text("value")
            inner.done()
        if dimension and dimension not in declared:
            inner.fault("dimension", "undeclared_dimension", f"{dimension!r} is no declared dimension")
    charge = read_charge(fields)
    fields.done()
    return Rate(charge, dimension, value)


def _each_metric_has_one_default(prices: Sequence[Price], path: str, faults: Faults) -> None:
    seen: set[tuple[str, Audience]] = set()
    for place, price in enumerate(prices):
        key = (price.metric, price.audience)
        if key in seen:
            reason = f"{price.metric} has two prices for {price.audience}"
            faults.add(f"{path}[{place}].metric", "duplicate_metric", reason)
        seen.add(key)
    for metric in sorted({metric for metric, _ in seen} - {metric for metric, whom in seen if whom == EVERYBODY}):
        faults.add(path, "no_default_price", f"{metric} has no price for everybody else")
