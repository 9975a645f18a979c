"""The whole site from one command: web, worker and beat, sharing one database and one Redis."""

import io
import os
import shelve
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import connections

from billing_site import boot_checks, environment
from billing_site.site_processes import SiteProcesses

_ADDRESS = "127.0.0.1"
_WEB_WORKERS = 2
_WEB_THREADS = 4
_TASK_THREADS = 2
_ANSWER_SECONDS = 120


class Command(BaseCommand):
    help = "Run web, worker and beat until Ctrl-C; with --demo, lay the demo's data first."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=environment.integer("PORT", 8000, minimum=1, maximum=65535))
        parser.add_argument("--metrics-port", type=int, default=settings.METRICS_PORT)
        parser.add_argument("--demo", action="store_true", help="run the demo command before the site starts")

    def handle(self, *args: Any, port: int, metrics_port: int, demo: bool, **options: Any) -> None:
        if port == metrics_port:
            raise CommandError(f"--port and --metrics-port are both {port}; /metrics needs a port of its own")
        for number, option in ((port, "--port"), (metrics_port, "--metrics-port")):
            _require_free(number, option)
        os.environ.update(PORT=str(port), METRICS_PORT=str(metrics_port), DEMO=str(int(demo)))
        if demo:
            os.environ["SECOND_FACTOR_WAIVED"] = "1"  # its log-ins are printed, passwords and all
        _require_sound_start()
        greeting = self._lay_demo() if demo else ""
        connections.close_all()
        site = SiteProcesses(_child_environment(port), lambda: self._announce(port, greeting))
        for name, command in _programs(port, metrics_port).items():
            site.add(name, command)
        site.loop()
        sys.exit(site.returncode or 0)

    def _lay_demo(self) -> str:
        """What the demo prints (addresses and logins), to be shown again when the site answers."""
        printed = _Remembered(self.stdout)
        call_command("demo", stdout=printed)
        return printed.getvalue()

    def _announce(self, port: int, greeting: str) -> None:
        if _answers(port):
            with suppress(BrokenPipeError):
                self.stdout.write(f"\n{greeting}\nThe site answers at http://{_ADDRESS}:{port}/ (Ctrl-C stops it)\n")
                self.stdout.flush()


def _require_sound_start() -> None:
    """Said once, before the demo's data is laid; web and worker would refuse for the same reasons."""
    try:
        boot_checks.require_sound_start()
    except boot_checks.BootRefused as refused:
        raise CommandError(str(refused)) from refused


class _Remembered(io.StringIO):
    """Keeps what it passes on."""

    def __init__(self, onward: OutputWrapper) -> None:
        super().__init__()
        self._onward = onward

    def write(self, text: str) -> int:
        self._onward.write(text, ending="")
        self._onward.flush()
        return super().write(text)


def _require_free(port: int, option: str) -> None:
    if not 1 <= port <= 65535:
        raise CommandError(f"port {port} cannot be used (ports are 1 to 65535); choose another with {option}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_ADDRESS, port))
        except OSError as error:
            raise CommandError(f"port {port} cannot be used ({error}); choose another with {option}") from error


def _answers(port: int) -> bool:
    """Wait until the site answers anything; False when it does not in time."""
    until = time.monotonic() + _ANSWER_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://{_ADDRESS}:{port}/healthz", timeout=10):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.2)
    return False


def _child_environment(port: int) -> dict[str, str]:
    """The launcher's, without the owner's URL: no web or worker process may change tables. Web processes count their
    requests in one folder, so that a scrape of any tells of all."""
    counted = Path(settings.BASE_DIR) / ".local" / f"metrics-{port}"
    shutil.rmtree(counted, ignore_errors=True)
    counted.mkdir(parents=True)
    kept = {name: value for name, value in os.environ.items() if name != settings.DATABASE_OWNER_URL_VARIABLE}
    return {**kept, "PROMETHEUS_MULTIPROC_DIR": str(counted)}


def _programs(port: int, metrics_port: int) -> dict[str, list[str]]:
    celery = [sys.executable, "-m", "celery", "--app", "billing_site.celery", "--quiet"]
    level = f"--loglevel={settings.LOG_LEVEL}"
    return {
        "web": [
            *(sys.executable, "-m", "gunicorn", "billing_site.wsgi", "--worker-class=gthread"),
            *(f"--workers={_WEB_WORKERS}", f"--threads={_WEB_THREADS}"),
            *(f"--bind={_ADDRESS}:{port}", f"--bind={_ADDRESS}:{metrics_port}"),
            *("--graceful-timeout=3", f"--log-level={settings.LOG_LEVEL.lower()}"),
            "--no-control-socket",  # gunicorn would make it in the home folder
        ],
        # Threads: one process, so the stop signal that honcho sends to the group lets a task end.
        "worker": [
            *(*celery, "worker", "--pool=threads", f"--concurrency={_TASK_THREADS}", level),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        "beat": [*celery, "beat", f"--schedule={_beat_state(port)}", "--pidfile=", level],
    }


def _beat_state(port: int) -> Path:
    """Beat's memory of when it last rang, one for each site of a clone; dropped when a crash spoiled it."""
    path = Path(settings.BASE_DIR) / ".local" / f"beat-{port}"
    path.parent.mkdir(exist_ok=True)
    try:
        with shelve.open(str(path)) as state:  # noqa: S301 (written by this site's beat)
            dict(state)
    except Exception:  # noqa: BLE001 (a spoiled pickle can raise anything)
        for spoiled in (path, *path.parent.glob(f"{path.name}.*")):
            spoiled.unlink(missing_ok=True)
    return path
