"""web, worker and beat as one group: they start together, stop together and do not outlive their launcher.

honcho runs them and prints their output. What is added: a launcher killed without warning takes its
processes with it (Linux: the kernel signals a child when its parent dies), a stop asked for while they are
still starting is obeyed, and the group stops when nobody reads its output any more.
"""

import ctypes
import os
import shlex
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Popen, Process

_PR_SET_PDEATHSIG = 1
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _die_with_parent(number: signal.Signals, parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it died before the line above
        os.kill(os.getpid(), number)


def _before_exec(parent: int) -> None:
    for number in _STOPPING:
        signal.signal(number, signal.SIG_DFL)
    _die_with_parent(signal.SIGTERM, parent)


class _BoundProcess(Process):  # type: ignore[misc]
    """honcho's relay of one program's output; relay and program both end with the launcher."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._launcher = os.getpid()

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
        _die_with_parent(signal.SIGKILL, self._launcher)
        self._child_ctor = partial(Popen, preexec_fn=partial(_before_exec, os.getpid()))
        super().run(events, ignore_signals)


class _Output(Printer):  # type: ignore[misc]
    def write(self, message: Message) -> None:
        try:
            super().write(message)
        except BrokenPipeError:
            self.output = open(os.devnull, "w")  # noqa: SIM115 (for the few lines until the end)
            signal.raise_signal(signal.SIGTERM)


class SiteProcesses(Manager):  # type: ignore[misc]
    """Programs that `loop()` runs until one of them ends or a stop signal arrives; then it ends the others.

    `when_started` is called in a thread of its own once they have been started.
    """

    def __init__(self, environment: dict[str, str], when_started: Callable[[], None]) -> None:
        super().__init__(_Output())
        self._process_ctor = _BoundProcess
        self._environment = environment
        self._when_started = when_started
        self._stop_wanted = False

    def add(self, name: str, command: list[str]) -> None:
        # `exec`: the shell gives its place to the program, so signals reach the program itself.
        self.add_process(name, f"exec {shlex.join(command)}", env=self._environment)

    def terminate(self) -> None:
        """Ask for the end; the loop obeys as soon as all have started, for it then knows their pids."""
        self._stop_wanted = True

    def _all_started(self) -> bool:
        started = bool(super()._all_started())
        if started and self._stop_wanted:
            super().terminate()
        return started

    def _start(self) -> None:
        for number in _STOPPING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        super()._start()
        threading.Thread(target=self._when_started, daemon=True).start()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # honcho's own handler prints, which fails when it interrupts a print.
        self.returncode = 128 + number
        self.terminate()
