"""Reads the table of acts in docs/postings.md and does its arithmetic."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "postings.md"

_SIGNS = {"+": 1, "−": -1, "±": 1, "∓": -1}
_LINE = re.compile(
    r"(?:[a-z -]+: )?(?P<kinds>[a-z_]+(?: or [a-z_]+)*)(?:\[(?P<currency>\w+)\])? (?P<sign>[+−±∓])"
    r"(?P<amount>\([^)]+\)|Σ?[A-Za-z])(?: per record)?(?: \((?P<note>[a-z][^)]*)\))?"
)
_TERM = re.compile(r"([+−]?)(Σ?[A-Za-z])")

Sum = dict[str, int]  # symbol → how often it is credited (or, negative, debited)


@dataclass(frozen=True)
class TableLine:
    """`kinds` has more than one entry where the act chooses among them."""

    kinds: tuple[str, ...]
    currency: str
    amount: Sum

    def value(self, symbols: Mapping[str, int]) -> int:
        return sum(count * symbols[symbol] for symbol, count in self.amount.items())


@dataclass(frozen=True)
class Row:
    act: str
    business_key: str
    built: bool
    cells: Mapping[str, str]  # prepaid and postpaid, as written

    def postings(self, settlement: str) -> list[list[TableLine]]:
        """The postings of a cell, none where it says so. Raises ValueError on unreadable text."""
        cell = self.cells[settlement]
        if cell.split(" (")[0] == "same":
            cell = self.cells["prepaid"]
        if cell.startswith("–"):
            return []
        return [[_line(part) for part in posting.split("; ")] for posting in cell.split(" · ")]


def rows() -> list[Row]:
    section = DOCUMENT.read_text().split("\n## Acts\n")[1].split("\n## ")[0]
    table = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    found = []
    for cells in table[2:]:
        act, key, built, prepaid, postpaid = (cell.strip() for cell in cells)
        found.append(Row(act, key, built == "yes", {"prepaid": prepaid, "postpaid": postpaid}))
    return found


def _line(text: str) -> TableLine:
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError(f"cannot read the line {text!r}")
    sign = _SIGNS[match["sign"]]
    amount: defaultdict[str, int] = defaultdict(int)
    for term_sign, symbol in _TERM.findall(match["amount"]):
        for part in ("d", "t") if symbol == "D" else (symbol.removeprefix("Σ"),):
            amount[part] += sign * (-1 if term_sign == "−" else 1)
    return TableLine(tuple(match["kinds"].split(" or ")), match["currency"] or "", dict(amount))
