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
    """Reconnect `default` as the owner and by the way that DATABASE_OWNER_URL names (a pool may stand in the other
    one's); the application role returns after. Raises EnvironmentFault where it names another database."""
    variable = settings.DATABASE_OWNER_URL_VARIABLE
    owner = environment.database(variable)
    if owner["NAME"] != environment.database("DATABASE_URL")["NAME"]:
        raise environment.EnvironmentFault(f"{variable} and DATABASE_URL name different databases")
    changed = {name: owner[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
    changed["OPTIONS"] = {**connection.settings_dict["OPTIONS"], **owner["OPTIONS"]}
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
    return str(environment.database("DATABASE_URL")["USER"])
