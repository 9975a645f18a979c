"""Resource quantities as Kubernetes writes them, read exactly and written in their canonical form.

Source: k8s.io/apimachinery/pkg/api/resource/quantity.go. Two of its habits are not ours: it rounds what is finer than
a nano-unit up, and caps what is above 2^63 − 1; here both are refused, as is anything below zero.
"""

import re
from decimal import Context, Decimal, localcontext

from quotas.errors import QuantityInvalid

_SHAPE = re.compile(r"(\d{1,40}\.?\d{0,40}|\.\d{1,40})([KMGTPE]i|[numkMGTPE]?|[eE][-+]?\d{1,3})", re.ASCII)
_BINARY = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_FINEST = Decimal("1e-9")
_LARGEST = Decimal(2**63 - 1)
_EXACT = Context(prec=200)  # more digits than the shape lets through


def parse(value: object) -> Decimal:
    """`500m`, `8Gi`, `1e3`, `0.5` or a whole number, exactly, in base units (cores, bytes, pieces).

    Raises QuantityInvalid.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, Decimal):
        value = format(value, "f") if value.is_finite() and abs(value.adjusted()) < 40 else str(value)
    match = _SHAPE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise QuantityInvalid("write a quantity as Kubernetes does, zero or more: 500m, 8Gi, 1e3 or 0.5")
    with localcontext(_EXACT):
        amount = Decimal(match[1]) * _factor(match[2])
        if amount > _LARGEST:
            raise QuantityInvalid("the quantity is above 2^63 − 1")
        if amount % _FINEST:
            raise QuantityInvalid("the quantity is finer than a nano-unit")
    return amount


def canonical(amount: Decimal, *, binary: bool = False) -> str:
    """The form the API server keeps: no fraction, the largest suffix that divides; `binary` for bytes."""
    if amount == 0:
        return "0"
    if binary and amount == amount.to_integral_value():
        divides = [(suffix, factor) for suffix, factor in _BINARY.items() if amount % factor == 0]
        suffix, factor = divides[-1] if divides else ("", Decimal(1))
        return f"{(amount / factor).to_integral_value():f}{suffix}"
    for suffix, power in sorted(_DECIMAL.items(), key=lambda item: -item[1]):
        if amount % (factor := Decimal(10) ** power) == 0:
            return f"{(amount / factor).to_integral_value():f}{suffix}"
    raise QuantityInvalid("the quantity is finer than a nano-unit")


def _factor(suffix: str) -> Decimal:
    if suffix in _BINARY:
        return _BINARY[suffix]
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return Decimal(10) ** int(suffix[1:])
    return Decimal(10) ** _DECIMAL[suffix]
