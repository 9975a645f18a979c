"""Add-ons as people type them on a command line or in a form: code=count."""

from collections.abc import Iterable

from quotas.errors import QuantityInvalid


def addons_of(texts: Iterable[str]) -> dict[str, str]:
    """`turbo-x1=2`, or `turbo-x1` for one. Raises QuantityInvalid where one is named twice or not like that."""
    found: dict[str, str] = {}
    for text in texts:
        code, equals, count = text.strip().partition("=")
        if not code or code in found:
            raise QuantityInvalid("name each add-on once, as turbo-x1=2", field="addon")
        found[code] = count if equals else "1"
    return found
