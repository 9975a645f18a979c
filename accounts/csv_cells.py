"""What a column of a list is in its CSV: plain values, one or more named cells for each row."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from typing import Any, TypeVar

from django.utils.html import strip_tags
from django.utils.safestring import SafeString

Cell = str | int | None
NamedCell = tuple[str, Callable[[Any], Cell]]
Column = TypeVar("Column", bound=Callable[..., Any])

_NO_TEXT = "–"  # what pages show where there is nothing


def in_csv(*cells: NamedCell) -> Callable[[Column], Column]:
    """Mark a column of a list (a function of the row) with its cells: money is minor units beside a currency."""

    def mark(column: Column) -> Column:
        column.__dict__["cells"] = cells
        return column

    return mark


def value_cell(value: object) -> Cell:
    """A field's value: whole numbers as numbers, moments in UTC (RFC 3339), truth as true and false."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def text_cell(shown: object) -> Cell:
    """What a page shows, as plain text."""
    text = unescape(strip_tags(shown)).strip() if isinstance(shown, SafeString) else value_cell(shown)
    return "" if text == _NO_TEXT else text
