"""Quantities in the seed's numbers: cores, Gi of memory and storage, pieces, GB of object storage. Exact.

Pure. `used` is null where nobody reported it, `limit` where none is enforced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from accounts.currencies import exponent
from quotas.dimensions import DIMENSIONS
from quotas.quota_arithmetic import Resources
from quotas.resource_quantities import parse

GI = Decimal(2**30)
_EXACT = Context(prec=80)  # a byte is a Gi by thirty decimals

# The console's word for each dimension. Of CPU and memory it knows one pair, see `closest`.
WORDS = {
    "requests.cpu": "cpu",
    "requests.memory": "memory",
    "requests.storage": "storage",
    "limits.cpu": "limitsCpu",
    "limits.memory": "limitsMemory",
    "pods": "pods",
    "services.loadbalancers": "servicesLB",
    "external_ips": "publicIPv4",
    "object_storage": "objectStorage",
}
_PAIRS = {"requests.cpu": "limits.cpu", "requests.memory": "limits.memory"}


@dataclass(frozen=True)
class Pair:
    used: Decimal | None
    limit: Decimal | None


def shown(dimension: str, amount: Decimal | None) -> Decimal | None:
    """Base units (cores, bytes, pieces) as the console counts them."""
    if amount is None or not DIMENSIONS[dimension].binary:
        return amount
    with localcontext(_EXACT):
        return amount / GI


def shown_text(dimension: str, text: str | None) -> Decimal | None:
    """As `shown`, of a quantity as the cluster writes it."""
    return None if text is None else shown(dimension, parse(text))


def read(word: str, value: object) -> object:
    """A number of the console's as a quantity; text is one already, as the cluster writes it."""
    if word in ("memory", "storage") and isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        with localcontext(_EXACT):
            return Decimal(value) * GI
    return value


def resources(found: Resources) -> dict[str, Decimal | None]:
    return {
        "cpu": found.cpu,
        "memory": shown("requests.memory", found.memory),
        "storage": shown("requests.storage", found.storage),
    }


def usage(
    used: Mapping[str, Decimal | None], limits: Mapping[str, Decimal], *dimensions: str
) -> dict[str, dict[str, Decimal | None]]:
    """`{used, limit}` by the console's words."""
    found = {}
    for name in dimensions:
        reported = closest(name, used, limits)
        found[WORDS[name]] = {"used": shown(name, reported.used), "limit": shown(name, reported.limit)}
    return found


def closest(name: str, used: Mapping[str, Decimal | None], limits: Mapping[str, Decimal]) -> Pair:
    """Requests or limits of CPU and memory: whichever is nearer to its bound."""
    pairs = [Pair(used.get(one), limits.get(one)) for one in (name, _PAIRS.get(name, name))]
    return max(pairs, key=_fullness)  # requests where both are alike


def major(amount_minor: int, currency: str) -> Decimal:
    """An amount as the console writes prices, 49 or 12.5."""
    return Decimal(amount_minor).scaleb(-exponent(currency))


def _fullness(pair: Pair) -> Decimal:
    if pair.used is None or pair.limit is None:
        return Decimal(-1)
    if not pair.limit:
        return Decimal("Infinity") if pair.used else Decimal(0)
    return pair.used / pair.limit
