"""Prices, and the lines of a quote, as people read them."""

from decimal import Decimal

from accounts.currencies import exponent, format_minor
from quotas.pricing.charges import Charge, Flat, Graduated, Package, Percentage
from quotas.pricing.discounts import Discount
from quotas.pricing.exact import shortest
from quotas.pricing.lines import Line
from quotas.pricing.prices import Price

_WORDS = {
    "free_units": "Free units",
    "flat": "Every unit",
    "fee": "Fee",
    "maximum": "Cut to the maximum",
    "minimum_true_up": "Topped up to the minimum",
    "commitment_drawdown": "Covered by the commitment",
    "commitment_true_up": "True-up of the commitment",
}


def line_words(line: Line) -> str:
    """What the line is: `Above 100, up to 1,000`."""
    return f"{_what(line)} · {line.match}" if line.match else _what(line)


def grouped(number: Decimal) -> str:
    """A decimal with its thousands apart and a true minus sign: `−1,234.5`."""
    whole, point, places = shortest(abs(number)).partition(".")
    return f"{'−' if number < 0 else ''}{int(whole):,}{point}{places}"


def money(amount: Decimal, currency: str) -> str:
    """An exact amount in major units, with all its decimals and at least those that the currency has."""
    whole, _, places = grouped(amount).partition(".")
    places = places.ljust(exponent(currency), "0")
    return f"{whole}{'.' if places else ''}{places} {currency}"


def _what(line: Line) -> str:
    if line.kind == "tier":
        fee = f", fee {shortest(line.fee)}" if line.fee else ""
        return f"{_band(line)}{fee}"
    if line.kind == "package":
        return line.name[:1].upper() + line.name[1:]
    if line.kind == "percentage":
        return f"{shortest(line.rate or Decimal(0))} % of the amount"
    if line.kind == "discount":
        return f"Discount {line.name}" + (f", {shortest(line.rate)} %" if line.rate else "")
    return _WORDS[line.kind]


def _band(line: Line) -> str:
    over, up_to = line.over or Decimal(0), line.up_to
    if not over:
        return "All units" if up_to is None else f"Up to {grouped(up_to)}"
    return f"Above {grouped(over)}" + (f", up to {grouped(up_to)}" if up_to is not None else "")


def price_facts(price: Price) -> list[tuple[str, str]]:
    """What a price says, one rule a line, in the order in which it is applied."""
    currency = price.currency
    facts = [("Free units", grouped(price.free_units))] if price.free_units else []
    for rate in price.rates:
        title = f"Where {rate.dimension} is {rate.value}" if rate.dimension else "Rate"
        rest = len(price.rates) > 1 and not rate.dimension
        facts.append(("All other usage" if rest else title, charge_words(rate.charge, currency)))
    facts += [(f"Discount {discount.name}", _discount(discount, currency)) for discount in price.discounts]
    if price.maximum is not None:
        facts.append(("Maximum", money(price.maximum, currency)))
    if price.minimum is not None:
        facts.append(("Minimum", money(price.minimum, currency)))
    if price.commitment:
        paid = "paid in advance" if price.commitment.in_advance else "billed in arrears"
        amount = format_minor(price.commitment.amount_minor, currency)
        facts.append(("Commitment", f"{amount} over {price.commitment.periods} periods, {paid}"))
    return facts


def charge_words(charge: Charge, currency: str) -> str:
    """A charge in one sentence: `graduated: up to 100 0.10 USD each; above 100 0.08 USD each`."""
    if isinstance(charge, Flat):
        return f"{money(charge.rate, currency)} each{_plus(charge.fee, currency)}"
    if isinstance(charge, Package):
        return f"{money(charge.price, currency)} for each pack of {grouped(charge.size)}, begun ones too"
    if isinstance(charge, Percentage):
        return f"{shortest(charge.percent)} % of the amount{_plus(charge.fee, currency)}"
    over, bands = Decimal(0), []
    for tier in charge.tiers:
        band = _band(Line("tier", Decimal(0), over=over, up_to=tier.up_to))
        bands.append(f"{band[:1].lower()}{band[1:]}: {money(tier.rate, currency)} each{_plus(tier.fee, currency)}")
        over = tier.up_to or over
    return f"{'graduated' if isinstance(charge, Graduated) else 'volume'}; {'; '.join(bands)}"


def _plus(fee: Decimal, currency: str) -> str:
    return f" plus {money(fee, currency)}" if fee else ""


def _discount(discount: Discount, currency: str) -> str:
    size = (
        f"{shortest(discount.percent)} %"
        if discount.percent is not None
        else money(discount.amount or Decimal(0), currency)
    )
    since = f", from {discount.starts:%Y-%m-%d %H:%M} UTC" if discount.starts else ""
    until = f", until {discount.ends:%Y-%m-%d %H:%M} UTC" if discount.ends else ""
    times = f", {discount.times} times" if discount.times else ""
    return f"{size}{since}{until}{times}"
