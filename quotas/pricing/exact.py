"""Decimal arithmetic that never rounds by accident, and the one rounding that is meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext

from accounts.currencies import MAXIMUM_MINOR, exponent
from accounts.errors import AmountInvalid

# Room for the longest chain that reading.py admits; a digit that would still be lost raises Inexact.
_EXACT = Context(prec=1000, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
HUNDRED = Decimal(100)


@contextmanager
def exactly() -> Iterator[None]:
    """Arithmetic in which losing a digit is an error."""
    with localcontext(_EXACT):
        yield


def to_minor(amount: Decimal, currency: str) -> int:
    """Major units as minor units of the currency, half up. Raises AmountInvalid beyond 10^15 minor units."""
    with exactly():
        minor = int(amount.scaleb(exponent(currency)).to_integral_value(ROUND_HALF_UP))
    if abs(minor) > MAXIMUM_MINOR:
        raise AmountInvalid("the amount is out of range (at most 10^15 minor units)", field="quantity")
    return minor


def from_minor(amount_minor: int, currency: str) -> Decimal:
    """Minor units as major units, exactly."""
    return Decimal(amount_minor).scaleb(-exponent(currency))


def packs(quantity: Decimal, size: Decimal) -> int:
    """How many packs of a size hold the quantity: the last one may be part empty."""
    full, rest = divmod(quantity, size)
    return int(full) + (rest > 0)


def shortest(number: Decimal) -> str:
    """A plain decimal without an exponent or needless zeros: `12.5`, `0`, `1000`."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
