"""pytest plugin: PostgreSQL and Redis as `manage.py` has them, up before the settings are read.

Loaded by `-p tests.embedded`. Workers of pytest-xdist inherit the URLs and so start nothing.
"""

import atexit
import signal
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from billing_site import local_services

_services = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """A wrapper runs before pytest-django's own hook, which reads the settings."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _services.enter_context(local_services.provided())
    atexit.register(_services.close)
    return (yield)


def pytest_unconfigure() -> None:
    _services.close()
