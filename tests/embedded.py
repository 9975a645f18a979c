"""pytest plugin: PostgreSQL and Redis as `manage.py` has them, up before the settings are read.

Loaded by `-p tests.embedded`. Workers of pytest-xdist inherit the URLs and so start nothing; each has a database of
Redis for itself, for what one counts is nobody else's.
"""

import atexit
import os
import signal
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from billing_site import local_services
from tests.redis_database import of_worker

_services = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """A wrapper runs before pytest-django's own hook, which reads the settings."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _services.enter_context(local_services.provided())
    atexit.register(_services.close)
    os.environ["REDIS_URL"] = of_worker(os.environ["REDIS_URL"], os.environ.get("PYTEST_XDIST_WORKER", ""))
    return (yield)


def pytest_unconfigure() -> None:
    _services.close()
