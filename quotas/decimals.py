"""Quantities and rates as exact decimals: no float, no exponent, no more places than are kept."""

import re
from decimal import Decimal

from accounts.errors import DomainError
from quotas.errors import QuantityInvalid, RateInvalid

_PLAIN = re.compile(r"\d{1,18}(\.\d{1,30})?", re.ASCII)


def parse_quantity(value: object) -> Decimal:
    """Units held: above zero, below 10^12, at most 6 decimals. Raises QuantityInvalid."""
    quantity = _plain(value, QuantityInvalid, "quantity")
    if not 0 < quantity < Decimal(10) ** 12:
        raise QuantityInvalid("the quantity must be above zero and below 10^12")
    return _places(quantity, 6, QuantityInvalid, "quantity")


def parse_rate(value: object) -> Decimal:
    """Price per unit and hour in major units: zero or more, below 10^10, at most 10 decimals. Raises RateInvalid."""
    rate = _plain(value, RateInvalid, "rate")
    if rate >= Decimal(10) ** 10:
        raise RateInvalid("the rate must be below 10^10")
    return _places(rate, 10, RateInvalid, "rate")


def _plain(value: object, error: type[DomainError], word: str) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite() and value >= 0:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18:
        return Decimal(value)
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return Decimal(value)
    raise error(f"write the {word} as a plain decimal, such as 2.50")


def _places(number: Decimal, places: int, error: type[DomainError], word: str) -> Decimal:
    if number != round(number, places):
        raise error(f"the {word} has more than {places} decimals")
    return round(number, places)
