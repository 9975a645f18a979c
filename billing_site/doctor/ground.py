"""What the site stands on: settings, roles, triggers, grants, migrations, clocks, disk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts import billing_provider, clock
from billing_site import boot_checks, database_rules, environment, grants
from billing_site.doctor.findings import Finding, fault, first_line, good, warning
from billing_site.local_services import private_folder
from billing_site.roles import application_role, as_owner

LARGEST_CLOCK_DIFFERENCE_SECONDS = 2.0
SHORTEST_SECRET, FEWEST_CHARACTERS = 50, 5  # as Django's own check
DISK_FAULT_BYTES, DISK_WARNING_BYTES = 1 << 30, 5 << 30
_UNREACHABLE, _EMPTY = "countinghouse.E004", "countinghouse.E013"
_CLOCK = "countinghouse.E011"  # measured here, by a stricter rule
_AREAS = {
    **dict.fromkeys(("countinghouse.E001", "countinghouse.E002", "countinghouse.E003"), "settings"),
    **dict.fromkeys((_UNREACHABLE, _EMPTY, "countinghouse.E005", "countinghouse.E006"), "database"),
    "countinghouse.E007": "triggers",
    "countinghouse.E008": "grants",
    **dict.fromkeys(("countinghouse.E009", "countinghouse.E010"), "roles"),
}
_WOULD_BE_GOOD = ("settings", "database", "roles", "triggers", "grants")


class NoDatabase(Exception):
    """The database does not answer or is empty, so nothing more can be asked of it."""


def start() -> Iterator[Finding]:
    """Everything for which web and worker refuse to start. Raises NoDatabase after telling that."""
    found = [message for message in boot_checks.faults() if message.id != _CLOCK]
    for message in found:
        yield _of_boot(message)
    if any(message.id in (_UNREACHABLE, _EMPTY) for message in found):
        raise NoDatabase
    faulty = {_of_boot(message).check for message in found}
    for area in _WOULD_BE_GOOD:
        if area not in faulty:
            yield good(area, _praise(area))


def _of_boot(message: CheckMessage) -> Finding:
    return fault(_AREAS.get(message.id or "", "start"), f"{message.id}: {message.msg}", message.hint or "")


def _praise(area: str) -> str:
    if area == "settings":
        return f"{settings.ENVIRONMENT}, provider {_provider()}, log level {settings.LOG_LEVEL}"
    if area == "database":
        return f"PostgreSQL {connection.pg_version // 10_000}, every commit reaches the disk"  # type: ignore[attr-defined]
    if area == "roles":
        return f"serves as {application_role()}, who owns nothing"
    if area == "triggers":
        return f"{len(database_rules.expected_triggers())} triggers stand"
    return f"{len(grants.tables())} tables and views grant what is listed"


def _provider() -> str:
    try:
        return billing_provider.in_force()
    except DatabaseError:  # tables of an earlier release; the migrations that wait are told below
        return "not known"


def exposure() -> Iterator[Finding]:
    """Settings that serve a laptop and would fail or leak elsewhere."""
    if settings.ENVIRONMENT == "embedded":
        return
    if settings.DEBUG:
        yield warning("settings", "DEBUG is on outside the embedded site", "Set DEBUG=0.")
    if "*" in settings.ALLOWED_HOSTS or set(settings.ALLOWED_HOSTS) <= {"localhost", "127.0.0.1", "[::1]"}:
        yield warning("settings", f"ALLOWED_HOSTS is {','.join(settings.ALLOWED_HOSTS)}", "Name the site's own hosts.")
    if len(settings.SECRET_KEY) < SHORTEST_SECRET or len(set(settings.SECRET_KEY)) < FEWEST_CHARACTERS:
        todo = "Set SECRET_KEY to 50 random characters; everybody signs in again."
        yield fault("settings", "SECRET_KEY is too short or too plain to sign sessions", todo)


def owner() -> Iterator[Finding]:
    """Whether DATABASE_OWNER_URL, where it is given, lets the owner in; web and worker never have it."""
    variable = settings.DATABASE_OWNER_URL_VARIABLE
    if not environment.text(variable, ""):
        yield good("owner", f"{variable} is not given here; migrate needs it, web and worker must not have it")
        return
    named = environment.database(variable)
    if named["NAME"] != environment.database("DATABASE_URL")["NAME"]:
        yield fault("owner", f"{variable} and DATABASE_URL name different databases", f"Correct {variable}.")
        return
    try:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'p', 'v') AND NOT pg_has_role(current_user, relowner, 'MEMBER') ORDER BY relname"
            )
            foreign = [name for (name,) in cursor.fetchall()]
    except DatabaseError as error:
        yield fault("owner", f"the owner is not let in: {first_line(error)}", f"Correct {variable}; migrate needs it.")
        return
    if foreign:
        what = f"{named['USER']} does not own {len(foreign)} tables, first {foreign[0]}"
        yield fault("owner", what, "Hand them over with ALTER TABLE … OWNER TO.")
    else:
        yield good("owner", f"{named['USER']} owns every table")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    waiting = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    newer = sorted(set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations))
    if waiting:
        yield fault("migrations", f"{len(waiting)} wait, first {waiting[0]}", "Run manage.py migrate.")
    if newer:
        what = f"the database has {len(newer)} that this code does not know, first {'.'.join(newer[0])}"
        yield warning("migrations", what, "Deploy the code that the database was migrated with.")
    if not waiting and not newer:
        yield good("migrations", f"{len(executor.loader.applied_migrations)} applied, none waits")


def clocks() -> Iterator[Finding]:
    """How far this process's clock is from the database's; the time the question took is not held against either."""
    with connection.cursor() as cursor:
        before = clock.now()
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
        after = clock.now()
    ahead, behind = (before - theirs).total_seconds(), (theirs - after).total_seconds()
    if max(ahead, behind) <= LARGEST_CLOCK_DIFFERENCE_SECONDS:
        yield good("clock", "this process and the database agree")
        return
    word = f"{ahead:.1f} s ahead of" if ahead > behind else f"{behind:.1f} s behind"
    yield fault("clock", f"this process is {word} the database", "Set both by the same time service.")


def disk() -> Iterator[Finding]:
    """Free space where this process can see it; a database elsewhere has a disk of its own."""
    place, free = min(((path, shutil.disk_usage(path).free) for path in _places()), key=lambda pair: pair[1])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        (size,) = cursor.fetchone()
    what = f"{free / (1 << 30):.1f} GiB free at {place}, the database holds {size}"
    if free >= DISK_WARNING_BYTES:
        yield good("disk", what)
    else:
        finding = fault if free < DISK_FAULT_BYTES else warning
        yield finding("disk", what, "Make room before the database stops.")


def _places() -> list[Path]:
    """This clone, the system's folder that a root-run clone may use, and the data folder of a database beside us."""
    found = [Path(settings.BASE_DIR), private_folder.SYSTEM]
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
        shown = cursor.fetchone()  # only to roles that may read every setting
    if shown and connection.settings_dict["HOST"].startswith("/"):
        found.append(Path(shown[0]))
    return [path for path in found if path.is_dir()]
