"""Lengths of time and hourly costs as people read them."""

from decimal import ROUND_HALF_UP, Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.currencies import EXPONENTS
from accounts.display import NOTHING

FINER = 2  # places beyond the currency's own: a vCPU costs fractions of a cent


def span(seconds: float) -> str:
    """A length of time in its two largest units: `3 d 4 h`."""
    left, words = int(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}")
    return " ".join(words[:2]) or "0 s"


def hourly(minor_per_hour: Decimal, currency: str) -> str:
    """`12.30 USD` of minor units an hour; up to two places finer than the currency where that says more."""
    places = EXPONENTS.get(currency, 0)
    major = minor_per_hour.scaleb(-places)
    rounded = major.quantize(Decimal(1).scaleb(-places - FINER), rounding=ROUND_HALF_UP)
    if not rounded and major:
        return f"under {Decimal(1).scaleb(-places - FINER):f} {currency}"
    whole, _, fraction = f"{rounded:,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}{'.' if fraction else ''}{fraction} {currency}"


def show_hourly(minor_per_hour: Decimal | None, currency: str) -> SafeString:
    """As a figure of a column."""
    text = NOTHING if minor_per_hour is None else hourly(minor_per_hour, currency)
    return format_html('<span class="money">{}</span>', text)
