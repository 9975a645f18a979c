"""What test_local_services.py needs to look at embedded services from outside."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psycopg
import pytest
import redis

from billing_site.local_services import processes

CHECKOUT = Path(__file__).resolve().parents[2]
_NAMES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "ENVIRONMENT")
_PACKAGES = str(Path(psycopg.__file__).parents[1])


def interpreter_open_to(uid: int) -> str:
    """A Python that this user may run with our packages; the test is skipped where there is none."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        with suppress(OSError):
            probe = subprocess.run(
                [candidate, "-c", "import psycopg"],
                env={"PYTHONPATH": _PACKAGES},
                stderr=subprocess.DEVNULL,
                check=False,
                user=uid,
                group=uid,
                extra_groups=[],
            )
            if probe.returncode == 0:
                return candidate
    pytest.skip("Python or its packages are closed to ordinary users here")


class Clone:
    """A folder that stands for a checkout, with the system folder root would use and a temporary folder."""

    def __init__(self, folder: Path, system: Path, temporary: Path) -> None:
        self.folder, self.system, self.temporary = folder, system, temporary
        self._users: list[ServiceUser] = []

    def user(self, *, uid: int | None = None, **environment: str) -> "ServiceUser":
        """A new process that uses the services; it may still be starting them."""
        self._users.append(ServiceUser(self, uid, environment))
        return self._users[-1]

    @property
    def state(self) -> Path:
        return self.folder / ".local"

    def data_folders(self) -> list[Path]:
        return [self.state, *self.system.glob("*-*")]

    def server_pids(self) -> set[int]:
        found: set[int] = set()
        for data in self.data_folders():
            found.update(processes.working_in(data / "postgres", "postgres"))
            found.update(processes.working_in(data / "redis", "redis-server"))
        return found

    def postmaster(self) -> int:
        for data in self.data_folders():
            if (data / "postgres/postmaster.pid").exists():
                return int((data / "postgres/postmaster.pid").read_text().splitlines()[0])
        raise AssertionError("no server of this clone runs")

    def kill_everything(self) -> None:
        """As a power cut would: users first, then servers, none with time to tidy up."""
        for user in self._users:
            user.end(signal.SIGKILL)
        while pids := self.server_pids():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


class ServiceUser:
    """One process that runs hold_services.py for a clone."""

    def __init__(self, clone: Clone, uid: int | None, environment: dict[str, str]) -> None:
        interpreter = sys.executable if uid is None else interpreter_open_to(uid)
        clean = {name: value for name, value in os.environ.items() if name not in _NAMES}
        self.process = subprocess.Popen(
            [interpreter, "-m", "tests.billing_site.hold_services", str(clone.folder), str(clone.system)],
            cwd=CHECKOUT,
            env={
                **clean,
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": _PACKAGES,
                "TMPDIR": str(clone.temporary),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )
        self._urls: dict[str, str] = {}

    def urls(self) -> dict[str, str]:
        """The URLs it was given, once its services are up."""
        if not self._urls:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
            assert line, self.complaint()
            self._urls = json.loads(line)
        return self._urls

    def complaint(self) -> str:
        _, complaint = self.process.communicate(timeout=60)
        return str(complaint).strip()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.communicate(timeout=60)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return int(self.process.returncode)

    def ask(self, question: str, name: str = "DATABASE_URL") -> object:
        with psycopg.connect(self.urls()[name]) as connection:
            row = connection.execute(question).fetchone()
            return row[0] if row else None

    def do(self, command: str) -> None:
        with psycopg.connect(self.urls()["DATABASE_OWNER_URL"]) as connection:
            connection.execute(command)

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(self.urls()["REDIS_URL"])

    def __enter__(self) -> "ServiceUser":
        self.urls()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.end()
