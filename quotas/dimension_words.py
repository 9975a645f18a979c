"""Quantities by dimension as people type them on a command line: cpu=500m; `unknown` for what nobody could count."""

from collections.abc import Iterable

from quotas.errors import QuantityInvalid

UNKNOWN = "unknown"


def quantities_of(texts: Iterable[str]) -> dict[str, str | None]:
    """Raises QuantityInvalid where one is named twice or not like that."""
    found: dict[str, str | None] = {}
    for text in texts:
        name, equals, quantity = text.strip().partition("=")
        if not name or not equals or name in found:
            raise QuantityInvalid("name each dimension once, as cpu=500m", field="quantity")
        found[name] = None if quantity == UNKNOWN else quantity
    return found
