"""Real threads, each with a connection of its own, let go at the same moment."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from django.db import connection

_PATIENCE_SECONDS = 60


def race(*acts: Callable[[], Any]) -> list[Any]:
    """Run every act at once; what each returned, or the exception it raised, in order."""
    results: list[Any] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(place: int, act: Callable[[], Any]) -> None:
        with closing(connection):
            connection.ensure_connection()
            gate.wait(_PATIENCE_SECONDS)
            try:
                results[place] = act()
            except Exception as error:  # noqa: BLE001 the caller judges it
                results[place] = error

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "a racing thread hangs"
    _wait_for_backends_to_leave()
    return results


def _wait_for_backends_to_leave() -> None:
    """The server notices a closed connection a moment later; the database cannot be dropped before."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)


def failures(results: Sequence[Any]) -> list[Exception]:
    return [result for result in results if isinstance(result, Exception)]


def successes(results: Sequence[Any]) -> list[Any]:
    return [result for result in results if not isinstance(result, Exception)]
