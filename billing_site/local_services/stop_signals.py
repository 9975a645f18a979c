"""Signals that ask to stop: turned into an exit, or held back while a start or a stop is under way."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _exit(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def become_exit() -> None:
    """Let SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that what was started is stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit)


@contextmanager
def held_back(*, deliver_after: bool) -> Iterator[None]:
    """Hold stop signals back; afterwards deliver the first of them, or drop them all.

    Handlers, not a signal mask: the servers started meanwhile would inherit a mask.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    previous = {number: signal.getsignal(number) for number in _STOPPING}
    for number in _STOPPING:
        if previous[number] is not signal.SIG_IGN:
            signal.signal(number, lambda which, _frame: arrived.append(which))
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if arrived and deliver_after:
            signal.raise_signal(arrived[0])
