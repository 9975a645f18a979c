"""One set of servers for each clone, shared by every process that needs them; the last one out stops them.

Each user holds a shared lock on `.local/users.lock` for as long as it runs, which a crash releases too.
Joining, starting and stopping happen one at a time under `.local/start.lock`. So a start finds one of three
cases: servers in use or left by a crash but sound (joined), half dead (stopped and started), none (started).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from billing_site.local_services import place, postgres, private_folder, redis, sockets, stop_signals
from billing_site.local_services.fault import LocalServicesFault
from billing_site.local_services.place import Place

CLONE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class _Wanted:
    postgres: bool
    redis: bool


@contextmanager
def provided(clone: Path = CLONE, system: Path = private_folder.SYSTEM) -> Iterator[None]:
    """Set DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL to embedded servers where none are given.

    Given URLs are left alone; outside ENVIRONMENT=embedded nothing is started; settings name what is missing.
    """
    wanted = _Wanted(postgres=not os.environ.get("DATABASE_URL"), redis=not os.environ.get("REDIS_URL"))
    if os.environ.get("ENVIRONMENT", "embedded") != "embedded" or not (wanted.postgres or wanted.redis):
        yield
        return
    if wanted.postgres and os.environ.get("DATABASE_OWNER_URL"):
        raise LocalServicesFault("DATABASE_OWNER_URL is set but DATABASE_URL is not: set both, or neither")
    with _shared(clone, system, wanted) as directory, _environment(_urls(directory, wanted)):
        yield


@contextmanager
def named_only() -> Iterator[None]:
    """URLs of servers that are not started, where none are given: for commands that read no row."""
    urls = _urls(CLONE / ".local/not-started", _Wanted(postgres=True, redis=True))
    with _environment({name: os.environ.get(name) or url for name, url in urls.items()}):
        yield


def _urls(directory: Path, wanted: _Wanted) -> dict[str, str]:
    urls = {}
    if wanted.postgres:
        urls["DATABASE_URL"] = postgres.url(postgres.APPLICATION, directory)
        urls["DATABASE_OWNER_URL"] = postgres.url(postgres.OWNER, directory)
    if wanted.redis:
        urls["REDIS_URL"] = redis.url(directory)
    return urls


@contextmanager
def _environment(urls: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in urls}
    os.environ.update(urls)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _shared(clone: Path, system: Path, wanted: _Wanted) -> Iterator[Path]:
    state = clone / ".local"
    process = os.getpid()
    with ExitStack() as files, ExitStack() as joining:
        try:
            state.mkdir(mode=0o755, exist_ok=True)
            turn = files.enter_context((state / "start.lock").open("a"))
            users = files.enter_context((state / "users.lock").open("a"))
        except PermissionError as error:
            raise LocalServicesFault(f"{error}: run as the owner of the clone, or set DATABASE_URL") from error
        joining.enter_context(_turn(turn))
        joining.enter_context(stop_signals.held_back(deliver_after=True))
        here, directory = _join(clone, system, users, wanted)
        try:
            joining.close()  # a signal that was held back arrives here, where leaving is certain
            yield directory
        finally:
            # A forked child that unwinds this far shares the parent's locks and must not give them up.
            if os.getpid() == process:
                _leave(here, turn, users)


def _join(clone: Path, system: Path, users: IO[str], wanted: _Wanted) -> tuple[Place, Path]:
    here = place.choose(clone, system)
    fcntl.flock(users, fcntl.LOCK_SH)
    try:
        directory = sockets.directory(here)
        if wanted.postgres:
            postgres.ensure_running(here, directory)
        if wanted.redis:
            redis.ensure_running(here, directory)
    except BaseException:
        _stop_if_last(here, users)
        raise
    return here, directory


def _leave(here: Place, turn: IO[str], users: IO[str]) -> None:
    with stop_signals.held_back(deliver_after=False), _turn(turn):
        _stop_if_last(here, users)


def _stop_if_last(here: Place, users: IO[str]) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        fcntl.flock(users, fcntl.LOCK_UN)
    redis.stop(here)
    postgres.stop(here)
    sockets.remove(here)


@contextmanager
def _turn(turn: IO[str]) -> Iterator[None]:
    fcntl.flock(turn, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(turn, fcntl.LOCK_UN)
