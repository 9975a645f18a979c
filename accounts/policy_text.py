"""Policy values as people read them: money in its currency, lengths of time in their units, on and off."""

from typing import Any

from accounts.currencies import EXPONENTS, format_minor
from accounts.policy_keys import PolicyKey

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def show_value(key: PolicyKey, value: Any, currency: str | None = None) -> str:
    """A value in words and units. Money that names no currency is shown in `currency` where that is given."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if key.kind == "money":
        return _money(value, currency)
    if isinstance(value, list):
        numbers = ", ".join(str(item) for item in value)
        return f"{numbers} %" if key.unit == "percent" else f"{numbers} {key.unit}s".rstrip()
    if isinstance(value, int):
        return show_span(value) if key.unit == "second" else f"{value:,} {key.unit}{'' if value == 1 else 's'}"
    return str(value)


def show_raw(value: Any) -> str:
    """The value as it is kept and as commands take it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"{value.get('amount_minor')} {value.get('currency')}"
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def show_span(seconds: int) -> str:
    """A length of time, exact: `1 h 30 min`."""
    words, left = [], seconds
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}")
    return " ".join(words) or "0 s"


def _money(value: Any, currency: str | None) -> str:
    named = value["currency"] if isinstance(value, dict) else currency
    amount = value["amount_minor"] if isinstance(value, dict) else value
    return format_minor(amount, named) if named in EXPONENTS else f"{amount:,} minor units"
