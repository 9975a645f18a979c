"""The suite makes its database as the owner, with every migration, and runs each test as the application role.

A test marked `django_db` runs in a transaction that is rolled back. A test that commits takes `committed_db`: a
database of its own, copied from the migrated one in a few dozen milliseconds.
"""

import itertools
import os
import signal
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from accounts.policy import set_value
from billing_site.roles import as_owner
from tests.cast import ACTOR, BEGINNING, Cast, gather
from tests.signing_in import force_login

_numbers = itertools.count(1)
Client.force_login = force_login  # type: ignore[method-assign]


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


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    original = connection.settings_dict["NAME"]
    suffix = os.environ.get("PYTEST_XDIST_WORKER", "")
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["NAME"] = f"test_countinghouse_{os.getpid()}_{suffix}".rstrip("_")
        with as_owner():
            name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
        yield
        _drop(name, back_to=original)


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database of this test's own, in which it may commit; yields its name."""
    template = connection.settings_dict["NAME"]
    name = f"{template}_{next(_numbers)}"
    with django_db_blocker.unblock():
        with as_owner():
            _execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        connection.settings_dict["NAME"] = name
        try:
            yield name
        finally:
            _drop(name, back_to=template)


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
def cast(request: pytest.FixtureRequest) -> Cast:
    """Alice owns, Bob belongs, Charlie is a stranger, Dana is finance staff, Erin approves."""
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    return gather()


def _drop(name: str, *, back_to: str) -> None:
    """Drop a database. Each role ends its own sessions: the owner may not end the application's."""
    connection.settings_dict["NAME"] = back_to
    end_sessions = f"""
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = '{name}' AND usename = current_user AND pid <> pg_backend_pid()
    """
    _execute(end_sessions)
    with as_owner():
        _execute(end_sessions)
        _execute(f'DROP DATABASE "{name}"')


def _execute(statement: str) -> None:
    """Run a statement that cannot run inside a transaction, from the maintenance database."""
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


def _url() -> str:
    parts = connection.settings_dict
    query = urlencode({"host": parts["HOST"], **({"port": parts["PORT"]} if parts["PORT"] else {})})
    password = f":{parts['PASSWORD']}" if parts["PASSWORD"] else ""
    return f"postgresql://{parts['USER']}{password}@/{parts['NAME']}?{query}"


def _owner_url() -> str:
    with as_owner():
        return _url()
