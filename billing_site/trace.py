"""A cluster trace as allocations: which workload held how much of what, from when to when."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from accounts.clock import check_moment
from accounts.errors import TimeInvalid

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
GPU, VCPU = "gpu", "vcpu"

_PLAIN = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
_COLUMNS = ("name", "num_gpu", "gpu_milli", "cpu_milli", "scheduled_time", "deletion_time")


class TraceFault(Exception):
    """The file cannot be read; the message names the line and the column, or the file."""


@dataclass(frozen=True)
class Workload:
    """One row of the trace; `index` counts rows from 0, `starts_at` is None where it was never scheduled."""

    index: int
    name: str
    sku: str
    quantity: Decimal
    starts_at: datetime | None
    ends_at: datetime | None


def read_trace(path: Path) -> Iterator[Workload]:
    """Rows of the GPU cluster trace (seconds from its start, thousandths of a GPU and of a vCPU). Raises TraceFault."""
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        try:
            for column in _COLUMNS:
                if column not in (rows.fieldnames or ()):
                    raise TraceFault(f"{path}: the column {column} is missing")
            for index, row in enumerate(rows):
                yield _workload(index, row, line=index + 2)
        except (UnicodeDecodeError, csv.Error) as error:
            raise TraceFault(f"{path}: not a CSV file in UTF-8 ({error})") from error


def _workload(index: int, row: dict[str, str | None], line: int) -> Workload:
    gpus = _number(row, "num_gpu", line)
    sku = GPU if gpus else VCPU
    quantity = gpus * _number(row, "gpu_milli", line) / 1000 if gpus else _number(row, "cpu_milli", line) / 1000
    scheduled, deleted = _moment(row, "scheduled_time", line), _moment(row, "deletion_time", line)
    if scheduled and deleted and deleted < scheduled:
        raise TraceFault(f"line {line}: deletion_time is before scheduled_time")
    return Workload(index, row["name"] or "", sku, quantity, scheduled, deleted)


def _number(row: dict[str, str | None], column: str, line: int) -> Decimal:
    text = row[column]
    if text is None or not (text == "" or _PLAIN.fullmatch(text)):
        raise TraceFault(f"line {line}: {column} is missing or not a plain number of zero or more")
    return Decimal(text or "0")


def _moment(row: dict[str, str | None], column: str, line: int) -> datetime | None:
    microseconds = int(_number(row, column, line) * 10**6)
    try:
        return check_moment(BEGINNING + timedelta(microseconds=microseconds)) if row[column] else None
    except (OverflowError, TimeInvalid):
        raise TraceFault(f"line {line}: {column} is out of range") from None
