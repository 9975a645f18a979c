"""A routing table for tests of the relay; the handlers do what real ones do: write, send, fail."""

from datetime import datetime

from accounts.audit import record, system
from accounts.models import OutboxMessage

HERE = "tests.accounts.relay_routes"
ROUTES = {
    "test.noted": (f"{HERE}.note",),
    "test.failing": (f"{HERE}.write_and_fail",),
    "test.moody": (f"{HERE}.fail_until_mended",),
    "test.both": (f"{HERE}.note", f"{HERE}.write_and_fail"),
    "test.unheard": (),
    "test.lost": (f"{HERE}.does_not_exist",),
}
mended: list[bool] = []


def note(message: OutboxMessage, *, at: datetime) -> None:
    record(system("relay"), "test.noted", subject=("outbox", message.pk), at=at)


def write_and_fail(message: OutboxMessage, *, at: datetime) -> None:
    note(message, at=at)
    raise RuntimeError("the mail server is away")


def fail_until_mended(message: OutboxMessage, *, at: datetime) -> None:
    if not mended:
        raise RuntimeError("not yet")
    note(message, at=at)
