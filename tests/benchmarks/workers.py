"""Accrual by several real worker processes at once, watched from outside: wall time, longest lock, memory."""

import resource
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context

import psycopg
from django.db import connection

from ledger import accrual

_LONGEST = """
SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'accrual-benchmark'
"""


@dataclass(frozen=True)
class Measured:
    """What the workers did between them; `lock_seconds` is the longest transaction, which holds its accounts' rows."""

    seconds: float
    windows: int
    lock_seconds: float
    memory_mb: float


def tick(at: datetime, *, workers: int) -> Measured:
    """One drain at a moment by that many processes, started together."""
    connection.ensure_connection()
    watcher = _Watcher(connection.connection.info.dsn)
    connection.close()
    context = get_context("fork")
    barrier, results = context.Barrier(workers + 1), context.Queue()
    processes = [context.Process(target=_work, args=(at, barrier, results)) for _ in range(workers)]
    for process in processes:
        process.start()
    watcher.start()
    barrier.wait()
    begun = time.perf_counter()
    outcomes = [results.get(timeout=1800) for _ in processes]
    seconds = time.perf_counter() - begun
    for process in processes:
        process.join()
    return Measured(seconds, sum(w for w, _ in outcomes), watcher.stop(), max(memory for _, memory in outcomes))


def _work(at: datetime, barrier: threading.Barrier, results) -> None:  # type: ignore[no-untyped-def]
    with connection.cursor() as cursor:
        cursor.execute("SET application_name = 'accrual-benchmark'")
    barrier.wait()
    tally = accrual.drain(at)
    results.put((tally.windows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


class _Watcher(threading.Thread):
    """Samples the age of the oldest worker transaction twenty times a second."""

    def __init__(self, dsn: str) -> None:
        super().__init__(daemon=True)
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._done = threading.Event()
        self._longest = 0.0

    def run(self) -> None:
        while not self._done.wait(0.05):
            row = self._connection.execute(_LONGEST).fetchone()
            self._longest = max(self._longest, float(row[0]) if row else 0.0)

    def stop(self) -> float:
        self._done.set()
        self.join()
        self._connection.close()
        return self._longest
