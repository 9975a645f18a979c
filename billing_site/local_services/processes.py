"""Server processes, known by what they are: their program's name and the folder they work in.

A pid read from a file may by now belong to anyone; a `postgres` whose working folder is this clone's PGDATA
can only be ours. (Linux: read from /proc.)
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def working_in(folder: Path, program: str) -> list[int]:
    """Pids of `program` working in `folder`, also when the folder has been deleted under them."""
    names = {str(folder), f"{folder} (deleted)"}
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            if (entry / "comm").read_text().strip() == program and os.readlink(entry / "cwd") in names:
                found.append(int(entry.name))
    return found


def _parent(pid: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("PPid:"):
                return int(line.split()[1])
    return 0


def _chiefs(pids: list[int]) -> list[int]:
    """Those that are not children of another one: the postmaster, without its backends."""
    return [pid for pid in pids if _parent(pid) not in pids]


def stop(folder: Path, program: str, steps: Iterable[tuple[signal.Signals, float]]) -> None:
    """Send each step's signal and give it its seconds, until none of `program` works in `folder`."""
    for number, patience in steps:
        pids = working_in(folder, program)
        for pid in pids if number is signal.SIGKILL else _chiefs(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if _gone_within(patience, folder, program):
            return


def _gone_within(seconds: float, folder: Path, program: str) -> bool:
    until = time.monotonic() + seconds
    while working_in(folder, program):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
