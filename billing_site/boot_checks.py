"""What must be true before a web process or a worker serves: each fault has an id and says what to do.

They are Django checks of the deployment kind: `migrate`, `check` and `doctor` run while something is wrong,
`check --deploy` lists the faults, `require_sound_start` refuses to serve.
"""

from collections.abc import Callable, Iterator

from celery import signals
from django.conf import settings
from django.core.checks import ERROR, CheckMessage, Error, register, run_checks
from django.db import DatabaseError, connection, connections

from accounts import clock
from billing_site import environment
from billing_site.database_rules import missing_triggers
from billing_site.grants import missing_grants

TAG = "boot"
OLDEST_POSTGRESQL = 150_000
LARGEST_CLOCK_DIFFERENCE_SECONDS = 5.0

# A commit that was acknowledged must survive a crash, and the triggers must fire.
DATABASE_SETTINGS: dict[str, frozenset[str]] = {
    "fsync": frozenset({"on"}),
    "full_page_writes": frozenset({"on"}),
    "synchronous_commit": frozenset({"on", "local", "remote_write", "remote_apply"}),
    "default_transaction_isolation": frozenset({"read committed"}),
    "default_transaction_read_only": frozenset({"off"}),
    "session_replication_role": frozenset({"origin"}),
}


class BootRefused(Exception):
    """The process must not serve; one line per fault."""

    def __init__(self, faults: list[CheckMessage]) -> None:
        self.faults = faults
        lines = [f"  {fault.id}: {fault.msg} {fault.hint}" for fault in faults]
        super().__init__("\n".join(["Countinghouse does not start:", *lines]))


def faults() -> list[CheckMessage]:
    """What is wrong now; silenced checks are not silenced here."""
    messages = run_checks(tags=[TAG], include_deployment_checks=True)
    return [message for message in messages if message.level >= ERROR]


def require_sound_start() -> None:
    """Raises BootRefused where something is wrong. Leaves no connection open for a fork to share."""
    try:
        found = faults()
    finally:
        connections.close_all()
    if found:
        raise BootRefused(found)


def connect_celery() -> None:
    signals.worker_init.connect(_refuse_worker, dispatch_uid="billing_site.boot_checks")


def _refuse_worker(**_: object) -> None:
    try:
        require_sound_start()
    except BootRefused as refused:
        # Celery logs an ordinary exception of a receiver and carries on.
        raise SystemExit(str(refused)) from refused


@register(TAG, deploy=True)
def live_keys_are_not_debugged(**_: object) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    keys = (settings.STRIPE_LIVE_SECRET_KEY, settings.STRIPE_TEST_SECRET_KEY)
    live = settings.ENVIRONMENT == "live" or settings.STRIPE_LIVE_SECRET_KEY or any(map(_is_live, keys))
    if settings.DEBUG and live:
        found.append(_fault(1, "DEBUG is on where live keys are.", "Set DEBUG=0, or take the live keys away."))
    if _is_live(settings.STRIPE_TEST_SECRET_KEY):
        found.append(_fault(2, "STRIPE_TEST_SECRET_KEY holds a live key.", "Give it a key that begins sk_test_."))
    return found


@register(TAG, deploy=True)
def failpoints_are_not_armed(**_: object) -> list[CheckMessage]:
    armed = environment.text("BILLING_FAILPOINTS", "")
    allowed = environment.flag("CRASHLAB") and settings.ENVIRONMENT != "live"
    if not armed or allowed:
        return []
    return [_fault(3, "BILLING_FAILPOINTS is set outside a crash test.", "Unset BILLING_FAILPOINTS.")]


@register(TAG, deploy=True)
def staff_have_a_second_factor(**_: object) -> list[CheckMessage]:
    if not settings.SECOND_FACTOR_WAIVED or settings.ENVIRONMENT == "embedded":
        return []
    return [_fault(12, "SECOND_FACTOR_WAIVED is set outside an embedded site.", "Unset SECOND_FACTOR_WAIVED.")]


@register(TAG, deploy=True)
def database_is_sound(**_: object) -> list[CheckMessage]:
    """All that is asked of the database, in the order in which it would mislead to ask further."""
    try:
        connection.ensure_connection()
        found = [fault for check in _DATABASE_CHECKS for fault in check()]
        return found + (list(_tables()) or [fault for check in _TABLE_CHECKS for fault in check()])
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return [_fault(4, f"The database does not answer: {reason}.", "Start it, or correct DATABASE_URL.")]


def _server_settings() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(DATABASE_SETTINGS)])
        actual = dict(cursor.fetchall())
    for name, allowed in sorted(DATABASE_SETTINGS.items()):
        if actual[name] not in allowed:
            yield _fault(
                5,
                f"{name} is {actual[name]}, must be {' or '.join(sorted(allowed))}.",
                "Correct postgresql.conf, the role's settings or the connection's options.",
            )


def _server_version() -> Iterator[CheckMessage]:
    connection.ensure_connection()
    version = connection.connection.info.server_version
    if version < OLDEST_POSTGRESQL:
        yield _fault(6, f"PostgreSQL is {version // 10_000}.", "Use PostgreSQL 15 or newer.")


def _tables() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.django_migrations') IS NULL")
        (empty,) = cursor.fetchone()
    if empty:
        yield _fault(13, "The database has no tables yet.", "Run manage.py migrate.")


def _triggers() -> Iterator[CheckMessage]:
    for sentence in missing_triggers():
        if sentence.endswith("is switched off"):
            hint = "As the owner: ALTER TABLE … ENABLE TRIGGER …; then manage.py verify_books --full."
        else:
            hint = "Run manage.py migrate; if it stays, a migration was undone by hand."
        yield _fault(7, f"{sentence}.", hint)


def _grants() -> Iterator[CheckMessage]:
    for sentence in missing_grants():
        yield _fault(8, f"{sentence}.", "Run manage.py migrate, which sets the grants at its end.")


def _role() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolreplication,"
            " EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
            "         AND pg_has_role(current_user, c.relowner, 'MEMBER'))"
            " OR has_schema_privilege('public', 'CREATE') FROM pg_roles WHERE rolname = current_user"
        )
        name, *powers, owns = cursor.fetchone()
    hint = "Serve as a role that owns nothing; DATABASE_OWNER_URL is for migrate and doctor only."
    if any(powers):
        yield _fault(9, f"The application role {name} has powers of an administrator.", hint)
    elif owns:
        yield _fault(10, f"The application role {name} owns tables or may make them.", hint)


def _clocks() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        before = clock.now()
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
        after = clock.now()
    difference = max((before - theirs).total_seconds(), (theirs - after).total_seconds())
    if difference > LARGEST_CLOCK_DIFFERENCE_SECONDS:
        yield _fault(
            11,
            f"The database's clock and ours differ by {difference:.0f} s.",
            "Set both by the same time service.",
        )


_DATABASE_CHECKS: tuple[Callable[[], Iterator[CheckMessage]], ...] = (
    *(_server_version, _server_settings, _role, _clocks),
)
_TABLE_CHECKS: tuple[Callable[[], Iterator[CheckMessage]], ...] = (_triggers, _grants)


def _is_live(key: str) -> bool:
    return key.startswith(("sk_live_", "rk_live_"))


def _fault(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"countinghouse.E{number:03}")
