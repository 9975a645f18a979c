"""A price of each model, to begin the calculator with."""

import json
from typing import Any

TIERS = [{"up_to": "100", "rate": "0.10"}, {"up_to": "1000", "rate": "0.08"}, {"rate": "0.05"}]
_COMMITTED = {"flat": "1", "commitment": {"amount": "1000", "periods": 3}}
_BY_REGION = {
    "dimensions": ["region"],
    "rates": [{"match": {"dimension": "region", "value": "eu"}, "flat": "3"}, {"flat": "2"}],
}
_OF: dict[str, tuple[dict[str, Any], str]] = {
    "flat": ({"model": "flat", "rate": "0.0125"}, "1000.4"),
    "graduated": ({"model": "graduated", "tiers": TIERS}, "1250.5"),
    "volume": ({"model": "volume", "tiers": TIERS}, "1250.5"),
    "package": ({"model": "package", "size": 1000, "price": "4.50"}, "2000.1"),
    "percentage": ({"model": "percentage", "percent": "2.9", "fee": "0.30", "maximum": "15"}, "99.99"),
    "minimum": ({"flat": "0.10", "minimum": "25"}, "99"),
    "commitment": (_COMMITTED, "300 250.50 100"),
    "discounts": (
        {"flat": "1", "free_units": "5", "discounts": [{"percent": 10}, {"amount": "5", "times": 3}]},
        "100",
    ),
    "by dimension": (_BY_REGION, "12"),
}
NAMES = tuple(_OF)


def example(name: str) -> dict[str, str]:
    """What the form begins with; graduated for a name that is none."""
    price, quantity = _OF.get(name, _OF["graduated"])
    first = {"price": readable({"currency": "USD", **price}), "quantity": quantity}
    return {**first, "dimensions": "region=eu"} if name == "by dimension" else first


def readable(price: dict[str, Any]) -> str:
    """JSON with a line for each key and for each member of a list, so that tiers stand under each other."""
    keys = ",\n".join(f"  {json.dumps(key)}: {_value(value)}" for key, value in price.items())
    return f"{{\n{keys}\n}}"


def _value(value: Any) -> str:
    if not isinstance(value, list) or not any(isinstance(member, dict) for member in value):
        return json.dumps(value, ensure_ascii=False)
    members = ",\n".join(f"    {json.dumps(member, ensure_ascii=False)}" for member in value)
    return f"[\n{members}\n  ]"
