"""The lines of a quote as people read them."""

from decimal import Decimal

from accounts.currencies import exponent
from quotas.pricing.exact import shortest
from quotas.pricing.lines import Line

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
