#!/usr/bin/env python
"""Every command runs with a database and a Redis: those the environment names, or embedded ones."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import DatabaseError
from psycopg import OperationalError
from psycopg.errors import UndefinedTable

from billing_site import local_services
from billing_site.environment import EnvironmentFault
from billing_site.local_services import stop_signals

WITHOUT_SERVICES = frozenset({"help", "version", "makemessages", "compilemessages", "collectstatic", "check_templates"})
_ASKS_ONLY = frozenset({"--help", "-h", "--version"})


def _needs_services(arguments: list[str]) -> bool:
    command = arguments[1:2]
    return bool(command) and command[0] not in WITHOUT_SERVICES and not _ASKS_ONLY.intersection(arguments)


def _of_the_database(error: DatabaseError) -> str:
    """What whoever runs the site can mend, in a line; empty where the fault is ours."""
    first, cause = f"{error}".strip().split("\n")[0], error.__cause__
    if isinstance(cause, UndefinedTable):
        return f"The database lacks a table ({first}): run manage.py migrate."
    if isinstance(cause, OperationalError) and cause.sqlstate is None:
        return f"The database does not answer: {first}. Start it, or correct DATABASE_URL."
    return ""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    stop_signals.become_exit()
    services = local_services.provided() if _needs_services(sys.argv) else local_services.named_only()
    try:
        with services:
            execute_from_command_line(sys.argv)
    except (local_services.LocalServicesFault, EnvironmentFault) as fault:
        sys.exit(f"{fault}")
    except DatabaseError as error:
        reason = _of_the_database(error)
        if not reason or "--traceback" in sys.argv:
            raise
        sys.exit(reason)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
