"""The databases of a run: templates in which no test works, and copies of them in which tests do.

One template is as the migrations left it; the others have a scene on stage, set once by the same acts that a test would
set it by. What rolls back works in a copy of each; what commits gets a copy of its own. Only templates are copied, so
that no test finds the bloat or the statistics that other tests left.
"""

import fcntl
import io
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import gettempdir

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker
from redis import Redis

from billing_site.roles import as_owner
from tests.billing_site.acts_scene import set_acts_scene
from tests.billing_site.back_office_scene import set_scene
from tests.cast import Cast, gather

BARE = ""


def beside_the_cast(set_one: Callable[[Cast], object]) -> tuple[Cast, object]:
    cast = gather()
    return cast, set_one(cast)


# By the fixture that asks for them: who stands on stage, and what with them.
SCENES: dict[str, Callable[[], tuple[Cast | None, object]]] = {
    "acts_scene": lambda: beside_the_cast(set_acts_scene),
    "back_office_scene": lambda: beside_the_cast(set_scene),
    "cast": lambda: (gather(), None),
    "demo": lambda: (None, lay_demo()),
}


def stage_of(fixtures: list[str]) -> str:
    """Which scene a test plays in, by its fixtures."""
    return next((name for name in SCENES if name in fixtures), BARE)


@dataclass
class Databases:
    name: str
    run: str  # what all workers of a run share
    blocker: DjangoDbBlocker
    original: str = field(default_factory=lambda: connection.settings_dict["NAME"])  # the site's; it is left alone
    on_stage: dict[str, bytes] = field(default_factory=dict)  # the cast and the scene, as they were when it was set
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _migrated: bool = False

    def migrate(self) -> None:
        """As the owner, every migration: by the first worker of a run that comes here, for all of them."""
        with self._alone():
            if not _exists(self.run):
                connection.settings_dict["TEST"]["NAME"] = unfinished = f"{self.run}_unfinished"
                with as_owner():
                    connection.creation.create_test_db(verbosity=0, autoclobber=True)
                enter(self.original)
                with as_owner():
                    _execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{self.run}"')
                self._migrated = True
            self._copy(self.run, self._template(BARE))
        self._copy(self._template(BARE), self._rolled_back(BARE))
        self.on_stage[BARE] = pickle.dumps((None, None))

    def for_test(self, stage: str) -> None:
        """Work in what rolls back, from now on."""
        if stage not in self.on_stage:
            with self.blocker.unblock():
                self._set(stage)
        enter(self._rolled_back(stage))

    def copy(self, stage: str) -> str:
        """A new one, for one test to commit in."""
        name = f"{self.name}_{next(self._numbers)}"
        self._copy(self._template(stage), name)
        enter(name)
        return name

    def drop(self, name: str) -> None:
        """Each role ends its own sessions: the owner may not end the application's."""
        enter(self.original)
        end_sessions = f"""
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = '{name}' AND usename = current_user AND pid <> pg_backend_pid()
        """
        _execute(end_sessions)
        with as_owner():
            _execute(end_sessions)
            _execute(f'DROP DATABASE "{name}"')

    def drop_all(self) -> None:
        for stage in self.on_stage:
            self.drop(self._rolled_back(stage))
            self.drop(self._template(stage))
        if self._migrated:
            with self._alone():
                self.drop(self.run)
            self._lock.unlink(missing_ok=True)

    def players(self, stage: str) -> tuple[Cast | None, object]:
        """The cast and its scene as they came on stage. Nothing that earlier tests tried is counted against them."""
        Redis.from_url(settings.REDIS_URL).flushdb()
        found: tuple[Cast | None, object] = pickle.loads(self.on_stage[stage])  # noqa: S301
        return found

    def _set(self, stage: str) -> None:
        """Set a scene as the application role; its rows are committed."""
        self._copy(self._template(BARE), self._template(stage))
        enter(self._template(stage))
        self.on_stage[stage] = pickle.dumps(SCENES[stage]())
        self._copy(self._template(stage), self._rolled_back(stage))

    @property
    def _lock(self) -> Path:
        return Path(gettempdir()) / f"{self.run}.lock"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other worker of the run is here meanwhile."""
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _copy(self, template: str, name: str) -> None:
        enter(self.original)
        with as_owner():
            _execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def _template(self, stage: str) -> str:
        return f"{self._rolled_back(stage)}_template"

    def _rolled_back(self, stage: str) -> str:
        return f"{self.name}_{stage}".rstrip("_")


def lay_demo() -> str:
    """As its command does; what it greets with."""
    printed = io.StringIO()
    call_command("demo", stdout=printed)
    return printed.getvalue()


def enter(name: str) -> None:
    """Work in another database from now on."""
    if connection.settings_dict["NAME"] != name:
        connection.close()
        connection.settings_dict["NAME"] = name


def _exists(name: str) -> bool:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return cursor.fetchone() is not None


def _execute(statement: str) -> None:
    """Run a statement that cannot run inside a transaction, from the maintenance database."""
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
