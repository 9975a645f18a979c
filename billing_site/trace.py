"""A cluster trace as allocations: which workload held how much of what, from when to when."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
GPU, VCPU = "gpu", "vcpu"


class TraceFault(Exception):
    """A row cannot be read; the message names the line and the column."""


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
        for index, row in enumerate(csv.DictReader(file)):
            line = index + 2
            gpus = _number(row, "num_gpu", line)
            sku = GPU if gpus else VCPU
            quantity = gpus * _number(row, "gpu_milli", line) / 1000 if gpus else _number(row, "cpu_milli", line) / 1000
            scheduled, deleted = _moment(row, "scheduled_time", line), _moment(row, "deletion_time", line)
            yield Workload(index, row["name"], sku, quantity, scheduled, deleted)


def _number(row: dict[str, str], column: str, line: int) -> Decimal:
    try:
        return Decimal(row[column] or "0")
    except (KeyError, InvalidOperation):
        raise TraceFault(f"line {line}: {column} is missing or not a number") from None


def _moment(row: dict[str, str], column: str, line: int) -> datetime | None:
    text = row.get(column)
    if text is None:
        raise TraceFault(f"line {line}: {column} is missing")
    return BEGINNING + timedelta(seconds=int(_number(row, column, line))) if text else None
