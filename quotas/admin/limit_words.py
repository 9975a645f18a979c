"""Quantities as people read them: cores, GiB and pieces, each exactly what the cluster writes."""

from decimal import Decimal

from quotas.dimensions import DIMENSIONS, Dimension, bounds, write
from quotas.models import Limit

NOT_ENFORCED = "not enforced"
_GIB = Decimal(2**30)


def quantity(name: str, amount: Decimal | None) -> str:
    """`10.3 vCPU`, `28.375 GiB`, `460 GB`, `12`; bytes that four places of a GiB do not hold stay as they are
    written. No amount means that no limit is enforced."""
    if amount is None:
        return NOT_ENFORCED
    dimension = DIMENSIONS[name]
    if dimension.binary:
        gib = amount / _GIB
        return f"{_short(gib)} GiB" if gib == round(gib, 4) else write(name, amount)
    return " ".join(filter(None, (_short(amount), _unit(dimension))))


def title(name: str) -> str:
    """What is limited, as a heading."""
    words = DIMENSIONS[name].words
    return f"{words[0].upper()}{words[1:]}"


def limits_of(organization_id: int) -> dict[str, str]:
    """The limits of an organization in words, by what is limited."""
    found = bounds(Limit.objects.filter(organization_id=organization_id, project=None))
    return {title(name): quantity(name, found.get(name)) for name in DIMENSIONS}


def _unit(dimension: Dimension) -> str:
    return "vCPU" if dimension.unit == "cores" else dimension.unit


def _short(amount: Decimal) -> str:
    whole, _, places = f"{amount:,f}".partition(".")
    places = places.rstrip("0")
    return f"{whole}.{places}" if places else whole
