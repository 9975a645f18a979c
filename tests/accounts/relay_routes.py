"""A routing table for tests of the relay; the handlers do what real ones do: write, send, fail."""

from collections.abc import Callable
from datetime import datetime

from accounts.audit import record, system
from accounts.models import OutboxMessage
from accounts.outbox import outside
from tests.ledger.raw_sql import execute

HERE = "tests.accounts.relay_routes"
ROUTES = {
    "test.noted": (f"{HERE}.note",),
    "test.failing": (f"{HERE}.write_and_fail",),
    "test.moody": (f"{HERE}.fail_until_mended",),
    "test.both": (f"{HERE}.note", f"{HERE}.write_and_fail"),
    "test.halved": (f"{HERE}.refused_at_commit",),
    "test.unheard": (),
    "test.lost": (f"{HERE}.does_not_exist",),
    "test.sent": (f"{HERE}.send",),
    "test.watched": (f"{HERE}.watch",),
}
mended: list[bool] = []
sent: list[int] = []
meanwhile: list[Callable[[OutboxMessage], None]] = []  # what happens while a handler is at work


def note(message: OutboxMessage, *, at: datetime) -> None:
    record(system("relay"), "test.noted", subject=("outbox", message.pk), at=at)


def write_and_fail(message: OutboxMessage, *, at: datetime) -> None:
    note(message, at=at)
    raise RuntimeError("the mail server is away")


def fail_until_mended(message: OutboxMessage, *, at: datetime) -> None:
    if not mended:
        raise RuntimeError("not yet")
    note(message, at=at)


def refused_at_commit(message: OutboxMessage, *, at: datetime) -> None:
    """What the database refuses only at commit: a reference to nothing."""
    note(message, at=at)
    execute(
        "INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)"
        " VALUES (-1, %s, 'wallet', 'USD', 1, 1)",
        [at.date()],
    )


@outside
def send(message: OutboxMessage, *, at: datetime) -> None:
    for happens in meanwhile:
        happens(message)
    sent.append(message.pk)


def watch(message: OutboxMessage, *, at: datetime) -> None:
    """As `send`, without the mark."""
    for happens in meanwhile:
        happens(message)
