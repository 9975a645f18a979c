"""Cursor paging: pages are counted from a row, so that rows that arrive meanwhile neither repeat nor hide any."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers

USUAL = 20
MOST = 100


def wanted(parameters: dict[str, Any]) -> tuple[int, int | None]:
    """How many rows, and the key after which they come. Raises ValidationError."""
    return parameters.get("limit", USUAL), _key(parameters["cursor"]) if parameters.get("cursor") else None


def page(
    rows: QuerySet[Any], limit: int, after: int | None, *, newest_first: bool = True
) -> tuple[Sequence[Any], str | None]:
    """One page in the order of keys, and the cursor of the next, None at the end. One query."""
    if after is not None:
        rows = rows.filter(**{"pk__lt" if newest_first else "pk__gt": after})
    found = list(rows.order_by("-pk" if newest_first else "pk")[: limit + 1])
    more = len(found) > limit
    shown = found[:limit]
    return shown, cursor_after(shown[-1]) if more else None


def cursor_after(row: Model) -> str:
    return base64.urlsafe_b64encode(f"k:{row.pk}".encode()).decode().rstrip("=")


def answer(data: Sequence[Any], cursor: str | None) -> dict[str, Any]:
    return {"data": data, "has_more": cursor is not None, "next_cursor": cursor}


def _key(cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name, _, digits = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(":")
        if name == "k" and digits.isdecimal() and len(digits) <= 19 and 0 < int(digits) < 2**63:
            return int(digits)
    except (binascii.Error, ValueError):
        pass
    fault = serializers.ErrorDetail("that cursor is not one of ours", code="cursor_invalid")
    raise serializers.ValidationError({"?cursor": [fault]})
