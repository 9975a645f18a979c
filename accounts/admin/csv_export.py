"""Lists as CSV, streamed, and harmless in a spreadsheet: text that could be a formula is kept as text."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

Cell = str | int | None
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
