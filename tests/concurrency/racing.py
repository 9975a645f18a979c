"""Real threads, each with a connection of its own, let go at the same moment."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from django.db import connection, transaction

from accounts.locking import lock_account

_PATIENCE_SECONDS = 60
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'"
)
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def race(*acts: Callable[[], Any]) -> list[Any]:
    """Run every act at once; what each returned, or the exception it raised, in order."""
    return _finish(*_start(acts))


def race_for(account_id: int, *acts: Callable[[], Any]) -> list[Any]:
    """As race, but all acts are seen waiting for the account's lock at one moment before the first may go on."""
    with transaction.atomic():
        lock_account(account_id)
        running = _start(acts)
        waiting = _poll(_WAITING, len(acts))
    results = _finish(*running)
    assert waiting == len(acts), f"only {waiting} of {len(acts)} ever waited for the lock: this proves nothing"
    return results


def waiting_for_a_lock(wanted: int) -> int:
    """How many wait for a lock; asked until so many do, for ten seconds at most."""
    return _poll(_WAITING, wanted)


def failures(results: Sequence[Any]) -> list[Exception]:
    return [result for result in results if isinstance(result, Exception)]


def successes(results: Sequence[Any]) -> list[Any]:
    return [result for result in results if not isinstance(result, Exception)]


def _start(acts: Sequence[Callable[[], Any]]) -> tuple[list[threading.Thread], list[Any]]:
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
    return threads, results


def _finish(threads: list[threading.Thread], results: list[Any]) -> list[Any]:
    for thread in threads:
        thread.join(_PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "a racing thread hangs"
    _poll(_OTHERS, 0)  # the server notices a closed connection a moment later
    return results


def _poll(query: str, wanted: int) -> int:
    """Ask until the count is what is wanted, for ten seconds at most; the last count."""
    count = -1
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(query)
            (count,) = cursor.fetchone()
        if count == wanted:
            break
        time.sleep(0.05)
    return count
