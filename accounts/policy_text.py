"""Policy values as people read and type them: money in its currency, lengths of time in their units, on and off."""

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


def typed(key: PolicyKey, text: str) -> object:
    """What somebody typed, as the key's type; what does not fit stays text, which the key then refuses.

    `60`; `true`; `80, 95`; `waive`; minor units with or without their currency: `10000`, `10000 USD`.
    """
    text = text.strip()
    if key.kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if key.kind == "ints":
        return [whole(part.strip()) for part in text.split(",")]
    if key.kind == "money" and " " in text:
        amount, _, currency = text.partition(" ")
        return {"amount_minor": whole(amount), "currency": currency.strip()}
    return whole(text) if key.kind in ("int", "money") else text


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


def whole(text: str) -> object:
    """Plain digits as a number; full-width ones, signs, points and blanks are no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else text
