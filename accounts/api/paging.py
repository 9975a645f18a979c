"""Cursor paging: pages are counted from a row, so that rows that arrive meanwhile neither repeat nor hide any.

Rows stand in the order of their keys, or of a moment that no two of them share.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

USUAL = 20
MOST = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def page(
    rows: QuerySet[Any], parameters: dict[str, Any], *, by: str = "pk", newest_first: bool = True
) -> tuple[Sequence[Any], str | None]:
    """One page, and the cursor of the next, None at the end. One query. Raises ValidationError for a strange cursor.

    `parameters` holds `limit` and `cursor` where they were given.
    """
    limit = parameters.get("limit", USUAL)
    if cursor := parameters.get("cursor"):
        mark = _read(cursor, moment=by != "pk")
        rows = rows.filter(**{f"{by}__{'lt' if newest_first else 'gt'}": mark})
    found = list(rows.order_by(f"-{by}" if newest_first else by)[: limit + 1])
    shown = found[:limit]
    return shown, _write(getattr(shown[-1], by)) if len(found) > limit else None


def answer(data: Sequence[Any], cursor: str | None) -> dict[str, Any]:
    return {"data": data, "has_more": cursor is not None, "next_cursor": cursor}


def _write(mark: int | datetime) -> str:
    text = f"t:{(mark - _EPOCH) // _MICROSECOND}" if isinstance(mark, datetime) else f"k:{mark}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, *, moment: bool) -> int | datetime:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        kind, _, digits = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(":")
        if kind == ("t" if moment else "k") and digits.isdecimal() and len(digits) <= 19 and 0 < int(digits) < 2**63:
            return _EPOCH + int(digits) * _MICROSECOND if moment else int(digits)
    except (binascii.Error, ValueError, OverflowError):
        pass
    fault = serializers.ErrorDetail("that cursor is not one of ours", code="cursor_invalid")
    raise serializers.ValidationError({"?cursor": [fault]})
