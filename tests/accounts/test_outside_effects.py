"""What the relay does to the outside: no transaction meanwhile, the try counted before it begins, at least once."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from accounts import outbox_relay
from accounts.locking import lock_account
from accounts.models import BillingAccount, OutboxDelivery, OutboxMessage
from accounts.outbox import emit
from accounts.outbox_relay import HELD, MAXIMUM_ATTEMPTS, backoff, drain
from ledger.balances import balance
from ledger.top_ups import post_top_up
from tests.accounts import relay_routes
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race
from tests.crash.crew import assembled
from tests.ledger.raw_sql import fetch

ROUTED = "tests.accounts.relay_routes.ROUTES"


@pytest.fixture(autouse=True)
def routed(settings: Any) -> Iterator[None]:
    settings.OUTBOX_ROUTES = ROUTED
    yield
    for kept in (relay_routes.mended, relay_routes.sent, relay_routes.meanwhile):
        kept.clear()


def tell(topic: str, account: BillingAccount | None = None) -> OutboxMessage:
    with transaction.atomic():
        if account is not None:
            lock_account(account.pk)
        return emit(topic, {"n": 1}, at=NOON, account=account)


def delivery(message: OutboxMessage) -> OutboxDelivery:
    return message.deliveries.get()


def stand(message: OutboxMessage) -> tuple[str, int]:
    row = delivery(message)
    return row.state, row.attempts


def die(*_: object) -> None:
    raise SystemExit("killed")


def elsewhere() -> "psycopg.Connection[Any]":
    """A connection that is nobody's but the caller's."""
    parts = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    return psycopg.connect(**{name: parts[name] for name in names if parts.get(name)})


def look_around(message: OutboxMessage) -> dict[str, Any]:
    """What another connection sees of the relay: its transaction, the rows it holds, what it has written."""
    pid = fetch("SELECT pg_backend_pid()")[0][0]
    seen: dict[str, Any] = {"in_atomic_block": connection.in_atomic_block}
    with elsewhere() as other:
        (seen["transaction_since"],) = other.execute(
            "SELECT xact_start FROM pg_stat_activity WHERE pid = %s", [pid]
        ).fetchone() or ("the relay is gone",)
        for table, key in (
            ("billing_accounts", message.billing_account_id),
            ("outbox_deliveries", delivery(message).pk),
        ):
            try:
                other.execute(f"SELECT FROM {table} WHERE id = %s FOR UPDATE NOWAIT", [key])  # type: ignore[arg-type]
                seen[table] = "free"
            except psycopg.errors.LockNotAvailable:
                seen[table] = "locked"
            other.rollback()
        seen["written"] = other.execute(
            "SELECT state, attempts FROM outbox_deliveries WHERE message_id = %s", [message.pk]
        ).fetchone()
    return seen


def test_no_transaction_is_open_and_no_row_is_locked_while_it_acts(committed_db: str, cast: Cast) -> None:
    seen: list[dict[str, Any]] = []
    relay_routes.meanwhile.append(lambda message: seen.append(look_around(message)))
    tell("test.sent", cast.prepaid)
    assert drain(NOON) == 1
    assert seen == [
        {
            "in_atomic_block": False,
            "transaction_since": None,
            "billing_accounts": "free",
            "outbox_deliveries": "free",
            "written": ("pending", 1),
        }
    ]


def test_a_handler_of_our_own_tables_holds_its_delivery_until_its_writes_are_committed(
    committed_db: str, cast: Cast
) -> None:
    """The same look finds a lock and a transaction where there are some."""
    seen: list[dict[str, Any]] = []

    def lock_and_look(message: OutboxMessage) -> None:
        lock_account(cast.prepaid.pk)
        seen.append(look_around(message))

    relay_routes.meanwhile.append(lock_and_look)
    tell("test.watched", cast.prepaid)
    assert drain(NOON) == 1
    assert seen[0].pop("transaction_since") is not None
    assert seen == [
        {
            "in_atomic_block": True,
            "billing_accounts": "locked",
            "outbox_deliveries": "locked",
            "written": ("pending", 0),
        }
    ]


def test_money_moves_on_an_account_while_its_mail_is_being_sent(committed_db: str, cast: Cast) -> None:
    def top_up() -> None:
        with transaction.atomic():
            account = lock_account(cast.prepaid.pk)
            post_top_up(account, amount_minor=50_000, provider="manual", session_id=1, actor=ACTOR, at=NOON)

    def pay(_: OutboxMessage) -> None:
        assert failures(race(top_up)) == []
        assert balance(cast.prepaid).amount_minor == 50_000

    relay_routes.meanwhile.append(pay)
    message = tell("test.sent", cast.prepaid)
    drain(NOON)
    assert delivery(message).last_error == ""
    assert stand(message) == ("delivered", 1)


def test_the_relay_refuses_to_work_inside_another_transaction(committed_db: str, cast: Cast) -> None:
    message = tell("test.sent", cast.prepaid)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        drain(NOON)
    assert stand(message) == ("pending", 0)
    assert relay_routes.sent == []


def test_the_try_is_counted_and_put_off_before_it_begins(cast: Cast) -> None:
    seen: list[OutboxDelivery] = []
    relay_routes.meanwhile.append(lambda message: seen.append(delivery(message)))
    message = tell("test.sent", cast.prepaid)
    drain(NOON)
    (before,) = seen
    assert (before.state, before.attempts, before.next_attempt_at) == ("pending", 1, NOON + HELD)
    assert before.last_error == "try 1 began and has not ended"
    after = delivery(message)
    assert (after.state, after.finished_at, after.last_error) == ("delivered", NOON, "")


@pytest.mark.parametrize(
    ("point", "times_sent"),
    [("relay.after_claim", 1), ("relay.before_mark", 2)],
    ids=["before it acted", "before the mark"],
)
def test_a_relay_killed_in_between_is_followed_by_another_try(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, point: str, times_sent: int
) -> None:
    message = tell("test.sent", cast.prepaid)
    monkeypatch.setattr(outbox_relay, "failpoint", lambda name: die() if name == point else None)
    with pytest.raises(SystemExit):
        drain(NOON)
    monkeypatch.undo()
    assert stand(message) == ("pending", 1)
    assert drain(NOON + HELD - timedelta(seconds=1)) == 0
    assert drain(NOON + HELD) == 1
    assert stand(message) == ("delivered", 2)
    assert relay_routes.sent == [message.pk] * times_sent


def test_a_handler_that_ends_the_process_is_tried_again(cast: Cast) -> None:
    relay_routes.meanwhile.append(die)
    message = tell("test.sent", cast.prepaid)
    with pytest.raises(SystemExit):
        drain(NOON)
    relay_routes.meanwhile.clear()
    assert drain(NOON + HELD) == 1
    assert stand(message) == ("delivered", 2)


def test_a_failing_one_backs_off_like_any_other(cast: Cast) -> None:
    def fail(_: OutboxMessage) -> None:
        raise RuntimeError("the mail server is away")

    relay_routes.meanwhile.append(fail)
    message = tell("test.sent", cast.prepaid)
    at = NOON
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        tried_at = at
        assert drain(tried_at) == 1
        row = delivery(message)
        assert (row.attempts, row.last_error) == (attempt, "RuntimeError: the mail server is away")
        if attempt < MAXIMUM_ATTEMPTS:
            assert (row.state, row.next_attempt_at) == ("pending", at + backoff(attempt))
        at = row.next_attempt_at
    assert (row.state, row.finished_at) == ("dead", tried_at)
    assert drain(at + timedelta(days=365)) == 0


def test_twelve_tries_that_never_end_are_enough(cast: Cast) -> None:
    relay_routes.meanwhile.append(die)
    message = tell("test.sent", cast.prepaid)
    at = NOON
    for _ in range(MAXIMUM_ATTEMPTS):
        with pytest.raises(SystemExit):
            drain(at)
        at = delivery(message).next_attempt_at
    assert stand(message) == ("pending", 12)
    assert drain(at) == 1
    assert stand(message) == ("dead", 12)
    assert delivery(message).last_error == "try 12 began and has not ended"
    assert relay_routes.sent == []


def test_an_unfinished_one_holds_back_its_accounts_later_ones(cast: Cast) -> None:
    relay_routes.meanwhile.append(die)
    first, second = tell("test.sent", cast.prepaid), tell("test.sent", cast.prepaid)
    with pytest.raises(SystemExit):
        drain(NOON)
    relay_routes.meanwhile.clear()
    theirs = tell("test.sent", cast.foreign)
    assert drain(NOON + timedelta(minutes=1)) == 1
    assert stand(second) == ("pending", 0)
    drain(NOON + HELD)
    assert relay_routes.sent == [theirs.pk, first.pk, second.pk]


def test_another_relay_passes_by_what_is_being_sent(committed_db: str, cast: Cast) -> None:
    handled: list[Any] = []
    relay_routes.meanwhile.append(lambda _: handled.extend(race(lambda: drain(NOON + timedelta(seconds=30)))))
    tell("test.sent", cast.prepaid)
    later = tell("test.sent", cast.prepaid)
    assert drain(NOON, limit=1) == 1
    assert handled == [0]
    assert stand(later) == ("pending", 0)


def test_a_late_failure_does_not_speak_for_the_try_that_followed(cast: Cast) -> None:
    """The first try hung for longer than it was held; the second is under way when the first fails."""

    def overtaken(message: OutboxMessage) -> None:
        message.deliveries.update(attempts=2, next_attempt_at=NOON + timedelta(hours=1), last_error="try 2")
        raise RuntimeError("timed out")

    relay_routes.meanwhile.append(overtaken)
    message = tell("test.sent", cast.prepaid)
    drain(NOON)
    row = delivery(message)
    assert (row.state, row.attempts, row.last_error) == ("pending", 2, "try 2")
    assert row.next_attempt_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize("meanwhile", ["pending", "dead"])
def test_a_late_success_counts(cast: Cast, meanwhile: str) -> None:
    relay_routes.meanwhile.append(lambda message: message.deliveries.update(attempts=12, state=meanwhile) and None)
    message = tell("test.sent", cast.prepaid)
    drain(NOON)
    row = delivery(message)
    assert (row.state, row.last_error, row.finished_at) == ("delivered", "", NOON)


def test_relays_at_once_send_each_message_once_and_in_order(committed_db: str, cast: Cast) -> None:
    messages = [tell("test.sent", account) for account in (cast.prepaid, cast.postpaid) for _ in range(10)]
    handled = race(*[lambda: drain(NOON)] * 4)
    assert failures(handled) == []
    while drain(NOON):  # the last of an account may have waited for the one before when the others looked
        pass
    assert Counter(relay_routes.sent) == Counter(message.pk for message in messages)
    for account in (cast.prepaid, cast.postpaid):
        own = [message.pk for message in messages if message.billing_account_id == account.pk]
        assert [key for key in relay_routes.sent if key in own] == own


def test_a_worker_killed_after_its_mail_left_sends_it_again_under_the_same_id(
    committed_db: str, cast: Cast, process_environment: dict[str, str], tmp_path: Path, settings: Any
) -> None:
    """SIGKILL in real processes; the mail is kept as files."""
    settings.OUTBOX_ROUTES = "billing_site.outbox_routes.ROUTES"
    payload = {"account": cast.prepaid.public_id, "amount_minor": 500, "currency": "USD"}
    with transaction.atomic():
        lock_account(cast.prepaid.pk)
        message = emit("payments.balance_credited", payload, at=NOON, account=cast.prepaid)
    environment = process_environment | {
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": str(tmp_path),
    }
    with assembled(environment) as crew:
        assert crew.relay(NOON, "relay.after_claim=kill@1").killed
        assert (stand(message), list(tmp_path.iterdir())) == (("pending", 1), [])
        assert crew.relay(NOON + HELD, "relay.before_mark=kill@1").killed
        assert stand(message) == ("pending", 2)
        assert crew.relay(NOON + HELD).tally == {"handled": 0}
        assert crew.relay(NOON + 3 * HELD).tally == {"handled": 1}
    assert stand(message) == ("delivered", 3)
    # Two mails of one second may share a file: the backend names it by the second and an address in memory.
    mails = "".join(path.read_text() for path in tmp_path.iterdir())
    ids = re.findall(r"^Message-ID: (.+)$", mails, re.MULTILINE)
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert cast.alice.public_id in ids[0]
