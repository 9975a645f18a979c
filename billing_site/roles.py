"""Two database roles: the application role serves, the owner makes and changes tables.

`as_owner()` is for schema work only: migrate, grants, doctor, and the making of test databases.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from billing_site import environment


@contextmanager
def as_owner() -> Iterator[None]:
    """Reconnect `default` as the owner named by DATABASE_OWNER_URL; the application role returns after."""
    owner = environment.database(settings.DATABASE_OWNER_URL_VARIABLE)
    changed = {"USER": owner["USER"], "PASSWORD": owner["PASSWORD"]}
    before = {name: connection.settings_dict[name] for name in changed}
    connection.close()
    connection.settings_dict.update(changed)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def application_role() -> str:
    """The name of the role the site serves as."""
    return environment.database("DATABASE_URL")["USER"]
