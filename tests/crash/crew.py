"""Gives orders to the parent of worker processes (workers.py)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome:
    """How a worker ended; `tally` is None where it did not end by itself."""

    killed: bool
    code: int
    tally: dict[str, int] | None


class Crew:
    def __init__(self, parent: "subprocess.Popen[str]") -> None:
        self._parent = parent

    def together(self, *orders: dict[str, Any]) -> list[Outcome]:
        """Let workers go at once and wait for the end of all."""
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.write(json.dumps(orders, default=datetime.isoformat) + "\n")
        self._parent.stdin.flush()
        line = self._parent.stdout.readline()
        assert line, "the parent of the workers ended"
        return [Outcome(**outcome) for outcome in json.loads(line)]

    def drain(self, at: datetime, failpoints: str = "", **options: int) -> Outcome:
        """One accrual worker."""
        return self.together(drain(at, failpoints, **options))[0]

    def relay(self, at: datetime, failpoints: str = "") -> Outcome:
        """One relay of the outbox."""
        return self.together({"act": "relay", "at": at, "failpoints": failpoints})[0]


def drain(at: datetime, failpoints: str = "", **options: int) -> dict[str, Any]:
    return {"act": "drain", "at": at, "failpoints": failpoints, "options": options}


@contextmanager
def assembled(environment: dict[str, str]) -> Iterator[Crew]:
    """The parent of the workers on a test's own database."""
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.workers"],
        cwd=CHECKOUT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "billing_site.settings", "LOG_LEVEL": "ERROR"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Crew(parent)
    finally:
        assert parent.stdin
        parent.stdin.close()
        parent.wait(timeout=60)
