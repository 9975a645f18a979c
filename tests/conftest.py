"""The suite makes its database as the owner, with every migration, and runs each test as the application role.

A test marked `django_db` runs in a transaction that is rolled back. A test that commits takes `committed_db`: a
database of its own. Either is a copy of a template: as migrated, or with the scene on stage that the test's fixtures
ask for (`cast`, `acts_scene`, …); see `databases.py`.
"""

import gc
import os
import signal
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.client import ClientHandler
from pytest_django.plugin import DjangoDbBlocker

from accounts.policy import set_value
from billing_site.roles import as_owner
from tests.billing_site.acts_scene import ActsScene
from tests.billing_site.back_office_scene import Scene
from tests.cast import ACTOR, BEGINNING, Cast
from tests.databases import Databases, stage_of
from tests.one_middleware import load_middleware
from tests.signing_in import force_login

_DATABASES = pytest.StashKey[Databases]()
_STAGE = pytest.StashKey[str]()
Client.force_login = force_login  # type: ignore[method-assign]
ClientHandler.load_middleware = load_middleware  # type: ignore[method-assign]


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("nomigrations", default=False):
        raise pytest.UsageError("--nomigrations would lose the triggers that this suite is about")
    # Under nohup, or in the background of a shell, these are ignored, and children would inherit that.
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        mark = item.get_closest_marker("django_db")
        if mark and mark.kwargs.get("transaction"):
            raise pytest.UsageError(f"{item.nodeid}: an append-only database cannot be flushed; use committed_db")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end; to look it through for garbage again and again is slow."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a fixture opens the transaction of the test."""
    item.config.stash[_STAGE] = stage_of(getattr(item, "fixturenames", []))
    if made := item.config.stash.get(_DATABASES, None):
        made.for_test(item.config.stash[_STAGE])


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Databases]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    run = f"test_countinghouse_{os.environ.get('PYTEST_XDIST_TESTRUNUID', str(os.getpid()))[:8]}"
    made = Databases(f"{run}_{worker or 'alone'}", run, django_db_blocker)
    with django_db_blocker.unblock():
        made.migrate()
        made.for_test(request.config.stash[_STAGE])
        request.config.stash[_DATABASES] = made
        yield made
        made.drop_all()


@pytest.fixture(scope="session")
def django_db_setup(databases: Databases) -> None:
    """Takes the place of pytest-django's."""


@pytest.fixture
def committed_db(
    request: pytest.FixtureRequest, databases: Databases, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """A database of this test's own, in which it may commit; yields its name."""
    stage = request.config.stash[_STAGE]
    with django_db_blocker.unblock():
        name = databases.copy(stage)
        try:
            yield name
        finally:
            databases.drop(name)
            databases.for_test(stage)


@pytest.fixture
def process_environment(committed_db: str) -> dict[str, str]:
    """The environment in which a separate process works on this test's database, as the application role."""
    return {**os.environ, "DATABASE_URL": _url(), "DATABASE_OWNER_URL": _owner_url()}


@pytest.fixture
def tails_are_billed(cast: Cast) -> None:
    """Usage after a wallet ran dry is charged in full, where a test is about rating and not about running dry."""
    set_value(
        "billing.outage_tail", "bill", scope="global", scope_id=None, actor=ACTOR, reason="rating in full", at=BEGINNING
    )


@pytest.fixture
def on_stage(request: pytest.FixtureRequest, databases: Databases) -> tuple[Cast, object]:
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    return databases.players(request.config.stash[_STAGE])


@pytest.fixture
def cast(on_stage: tuple[Cast, object]) -> Cast:
    """Alice owns, Bob belongs, Charlie is a stranger, Dana is finance staff, Erin approves."""
    return on_stage[0]


@pytest.fixture
def acts_scene(on_stage: tuple[Cast, ActsScene]) -> ActsScene:
    """Something for every act of the finance desk to act upon, as of the start of the run."""
    return on_stage[1]


@pytest.fixture
def demo(on_stage: tuple[None, str]) -> str:
    """The demo was laid; what it greeted with."""
    return on_stage[1]


@pytest.fixture
def back_office_scene(on_stage: tuple[Cast, Scene]) -> Scene:
    """Rows for every page of the back office."""
    return on_stage[1]


def _url() -> str:
    parts = connection.settings_dict
    query = urlencode({"host": parts["HOST"], **({"port": parts["PORT"]} if parts["PORT"] else {})})
    password = f":{parts['PASSWORD']}" if parts["PASSWORD"] else ""
    return f"postgresql://{parts['USER']}{password}@/{parts['NAME']}?{query}"


def _owner_url() -> str:
    with as_owner():
        return _url()
