"""Lists as CSV, streamed, and harmless in a spreadsheet: text that could be a formula is kept as text."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, cast

from django.db.models import ForeignKey
from django.http import StreamingHttpResponse

from accounts.csv_cells import Cell, NamedCell, text_cell, value_cell
from accounts.public_ids import PublicId, encode

# A spreadsheet takes these for the beginning of a formula, or skips them and looks at what follows.
_STARTERS = tuple("=+-@\t\r\n\x00") + tuple("\uff1d\uff0b\uff0d\uff20")


class _Line:
    """What a csv writer writes to: it hands the line back."""

    def write(self, text: str) -> str:
        return text


def safe(cell: Cell) -> Cell:
    """Text that begins like a formula, after blanks too, gets a leading apostrophe; whole numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    if cell.startswith(_STARTERS) or cell.lstrip().startswith(_STARTERS):
        return f"'{cell}"
    return cell


def lines_of(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a file, one at a time."""
    writer = csv.writer(_Line(), quoting=csv.QUOTE_MINIMAL)
    yield "\ufeff" + writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe(cell) for cell in row])


def download(name: str, lines: Iterator[str]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def columns_of(model_admin: Any) -> list[NamedCell]:
    """The columns of a list as cells, each name once, an id first.

    A column says its cells by `accounts.csv_cells.in_csv`; a field is its value, a reference the other's public id.
    """
    cells: dict[str, Any] = {}
    for item in model_admin.list_display:
        for name, cell in _cells(model_admin, item):
            cells.setdefault(name, cell)
    first = {} if "id" in cells else {"id": attrgetter("pk")}
    return [*first.items(), *cells.items()]


def cells_of(columns: Sequence[NamedCell], rows: Iterable[Any]) -> Iterator[list[Cell]]:
    for row in rows:
        yield [cell(row) for _, cell in columns]


def _cells(model_admin: Any, item: Any) -> Sequence[NamedCell]:
    column = item if callable(item) else getattr(model_admin, item, None)
    if column is None:
        return _field(model_admin, item)
    declared: Sequence[NamedCell] | None = getattr(column, "cells", None)
    return declared or [(column.__name__, lambda row: text_cell(column(row)))]


def _field(model_admin: Any, name: str) -> Sequence[NamedCell]:
    field = model_admin.model._meta.get_field(name)
    if not isinstance(field, ForeignKey):
        return [(name, lambda row: value_cell(getattr(row, name)))]
    other, key = cast(Any, field.related_model), field.attname
    if not issubclass(other, PublicId):
        return [(name, attrgetter(key))]
    prefix = other.PUBLIC_PREFIX
    cells: list[NamedCell] = [(name, lambda row: encode(prefix, getattr(row, key)) if getattr(row, key) else "")]
    if hasattr(other, "name") and name in (model_admin.list_select_related or ()):
        cells.append((f"{name}_name", lambda row: str(getattr(getattr(row, name), "name", ""))))
    return cells
