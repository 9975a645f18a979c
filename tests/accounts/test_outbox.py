"""The outbox and its relay: at least once, in order for each account, later and later, then dead and shown."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Count

from accounts import clock, correlation, outbox_relay
from accounts.locking import lock_account
from accounts.models import AuditLog, BillingAccount, OutboxDelivery, OutboxMessage
from accounts.outbox import emit
from accounts.outbox_relay import MAXIMUM_ATTEMPTS, backoff, drain
from tests.accounts import relay_routes
from tests.cast import NOON, Cast
from tests.concurrency.racing import failures, race
from tests.ledger.raw_sql import execute, refused_by


@pytest.fixture(autouse=True)
def routed(settings: object) -> Iterator[None]:
    settings.OUTBOX_ROUTES = "tests.accounts.relay_routes.ROUTES"  # type: ignore[attr-defined]
    yield
    for kept in (relay_routes.mended, relay_routes.sent, relay_routes.meanwhile):
        kept.clear()


@pytest.fixture
def quiet(cast: Cast) -> Cast:
    """The cast, with nothing waiting in the outbox."""
    assert not OutboxDelivery.objects.exists()
    return cast


def send(topic: str, account: BillingAccount | None = None) -> OutboxMessage:
    with transaction.atomic():
        if account is not None:
            lock_account(account.pk)
        return emit(topic, {"n": 1}, at=NOON, account=account)


def noted() -> list[int | None]:
    return list(AuditLog.objects.filter(action="test.noted").order_by("id").values_list("subject_id", flat=True))


def delivery(message: OutboxMessage) -> OutboxDelivery:
    return message.deliveries.get()


def test_an_account_counts_its_messages(quiet: Cast) -> None:
    for account in (quiet.prepaid, quiet.prepaid, quiet.postpaid, quiet.prepaid):
        send("test.unheard", account)
    counted = OutboxMessage.objects.filter(billing_account=quiet.prepaid).order_by("id")
    assert list(counted.values_list("seq", flat=True)) == [1, 2, 3]
    assert OutboxMessage.objects.get(billing_account=quiet.postpaid).seq == 1


def test_a_message_says_whose_it_is_when_it_happened_and_what_it_belongs_to(quiet: Cast) -> None:
    with correlation.bind("request-7"):
        message = send("test.unheard", quiet.prepaid)
    assert (message.organization, message.occurred_at, message.correlation_id) == (quiet.acme, NOON, "request-7")
    assert send("test.unheard").seq is None


def test_a_message_of_a_test_clock_that_is_ahead_does_not_wait_for_it(quiet: Cast) -> None:
    ahead = clock.now() + timedelta(days=40)
    with transaction.atomic():
        message = emit("test.watched", {"n": 1}, at=ahead, account=lock_account(quiet.prepaid.pk))
    assert message.occurred_at == ahead
    assert drain(clock.now() + timedelta(seconds=1)) == 1


def test_an_unrouted_topic_is_refused_before_anything_is_written(quiet: Cast) -> None:
    with pytest.raises(KeyError):
        send("test.unknown")
    assert not OutboxMessage.objects.exists()


def test_a_message_goes_with_the_transaction_that_wrote_it(quiet: Cast) -> None:
    with transaction.atomic():
        send("test.noted")
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.exists()
    assert not OutboxDelivery.objects.exists()


def test_a_message_is_delivered_once(quiet: Cast) -> None:
    message = send("test.noted", quiet.prepaid)
    assert drain(NOON) == 1
    assert drain(NOON + timedelta(days=1)) == 0
    assert noted() == [message.pk]
    assert (delivery(message).state, delivery(message).finished_at) == ("delivered", NOON)


def test_the_handler_works_under_the_correlation_of_its_cause(quiet: Cast) -> None:
    with correlation.bind("request-7"):
        send("test.noted")
    drain(NOON)
    assert AuditLog.objects.get(action="test.noted").correlation_id == "request-7"


def test_what_a_failing_handler_wrote_is_undone_and_its_error_is_kept(quiet: Cast) -> None:
    message = send("test.failing")
    assert drain(NOON) == 1
    assert noted() == []
    tried = delivery(message)
    assert (tried.state, tried.attempts) == ("pending", 1)
    assert tried.last_error == "RuntimeError: the mail server is away"
    assert tried.next_attempt_at == NOON + timedelta(seconds=7)


def test_a_handler_that_does_not_exist_fails_like_any_other(quiet: Cast) -> None:
    message = send("test.lost")
    drain(NOON)
    assert delivery(message).state == "pending"
    assert "does_not_exist" in delivery(message).last_error


def test_it_is_not_tried_again_before_its_time(quiet: Cast) -> None:
    send("test.failing")
    drain(NOON)
    assert drain(NOON + timedelta(seconds=6)) == 0
    assert drain(NOON + timedelta(seconds=7)) == 1


@pytest.mark.parametrize("topic", ["test.watched", "test.sent"])
def test_an_error_that_the_database_could_not_store_is_kept_without_what_it_refuses(quiet: Cast, topic: str) -> None:
    def fail(message: OutboxMessage) -> None:
        raise ValueError("a\x00b\ud800c" + "d" * 5000)

    relay_routes.meanwhile.append(fail)
    message = send(topic)
    assert drain(NOON) == 1
    assert delivery(message).last_error.startswith("ValueError: a?b?cddd")
    assert (len(delivery(message).last_error), delivery(message).attempts) == (2000, 1)


def test_what_would_fail_the_commit_is_a_failed_try(quiet: Cast) -> None:
    message = send("test.halved")
    assert drain(NOON) == 1
    assert noted() == []
    assert (delivery(message).state, delivery(message).attempts) == ("pending", 1)
    assert delivery(message).last_error


def test_tries_grow_apart_up_to_an_hour() -> None:
    waits = [backoff(attempts).total_seconds() for attempts in range(1, MAXIMUM_ATTEMPTS)]
    assert waits[:4] == [7, 14, 28, 56]
    assert waits == sorted(waits)
    assert waits[-1] == 3600


def test_after_twelve_tries_a_delivery_is_dead_and_stays_so(quiet: Cast) -> None:
    message = send("test.failing")
    at = NOON
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        assert delivery(message).state == "pending"
        assert drain(at) == 1, attempt
        at = delivery(message).next_attempt_at
    assert (delivery(message).state, delivery(message).attempts) == ("dead", 12)
    assert delivery(message).last_error
    assert drain(at + timedelta(days=365)) == 0


def test_an_accounts_messages_wait_for_the_one_before(quiet: Cast) -> None:
    first, second = send("test.moody", quiet.prepaid), send("test.moody", quiet.prepaid)
    elsewhere = send("test.noted", quiet.prepaid)
    theirs = send("test.noted", quiet.foreign)
    drain(NOON)
    assert noted() == [elsewhere.pk, theirs.pk]  # another route and another account are not held back
    assert delivery(second).attempts == 0
    relay_routes.mended.append(True)
    drain(NOON + timedelta(seconds=7))
    assert noted() == [elsewhere.pk, theirs.pk, first.pk, second.pk]


def test_a_dead_delivery_lets_later_ones_pass(quiet: Cast) -> None:
    first, second = send("test.moody", quiet.prepaid), send("test.moody", quiet.prepaid)
    first.deliveries.update(attempts=MAXIMUM_ATTEMPTS - 1)
    drain(NOON)
    assert delivery(first).state == "dead"
    assert delivery(second).attempts == 1


def test_messages_of_no_account_do_not_wait_for_each_other(quiet: Cast) -> None:
    send("test.moody")
    second = send("test.moody")
    drain(NOON)
    assert delivery(second).attempts == 1


def test_one_route_may_fail_and_the_other_is_still_delivered_once(quiet: Cast) -> None:
    message = send("test.both")
    drain(NOON)
    drain(NOON + timedelta(seconds=7))
    assert noted() == [message.pk]
    assert sorted(message.deliveries.values_list("state", flat=True)) == ["delivered", "pending"]


def test_a_drain_stops_at_its_limit(quiet: Cast) -> None:
    for _ in range(3):
        send("test.noted")
    assert drain(NOON, limit=2) == 2
    assert drain(NOON) == 1


def test_an_effect_whose_mark_was_lost_is_undone_and_done_again(quiet: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    message = send("test.noted")

    def die(name: str) -> None:
        raise SystemExit(name)

    monkeypatch.setattr(outbox_relay, "failpoint", die)
    with pytest.raises(SystemExit):
        drain(NOON)
    monkeypatch.undo()
    assert noted() == []
    assert drain(NOON) == 1
    assert noted() == [message.pk]


def test_two_relays_at_once_share_the_work_without_doubling_it(committed_db: str, cast: Cast) -> None:
    messages = [send("test.noted", account) for account in (cast.prepaid, cast.postpaid) for _ in range(20)]
    handled = race(*[lambda: drain(NOON)] * 4)
    assert failures(handled) == []
    assert sum(handled) == len(messages)
    effects = AuditLog.objects.filter(action="test.noted").values("subject_id").annotate(times=Count("id"))
    assert [effect for effect in effects if effect["times"] != 1] == []
    assert len(effects) == len(messages)
    for account in (cast.prepaid, cast.postpaid):
        own = [message.pk for message in messages if message.billing_account_id == account.pk]
        assert [key for key in noted() if key in own] == own


def test_a_relay_leaves_what_another_holds_and_takes_the_rest(committed_db: str, cast: Cast) -> None:
    held, free = send("test.noted", cast.prepaid), send("test.noted", cast.postpaid)

    def hold() -> None:
        with transaction.atomic():
            execute("SELECT FROM outbox_deliveries WHERE message_id = %s FOR UPDATE", [held.pk])
            time.sleep(1)

    def relay() -> list[int | None]:
        time.sleep(0.3)
        drain(NOON)
        return noted()

    _, seen = race(hold, relay)
    assert seen == [free.pk]
    drain(NOON)
    assert noted() == [free.pk, held.pk]


def test_many_who_emit_for_one_account_at_once_count_without_a_gap(committed_db: str, cast: Cast) -> None:
    assert failures(race(*[lambda: send("test.unheard", cast.prepaid)] * 6)) == []
    found = OutboxMessage.objects.filter(billing_account=cast.prepaid).order_by("id").values_list("seq", flat=True)
    assert list(found) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("account", "seq", "rule"),
    [
        (True, None, "outbox_account_rows_have_seq"),
        (True, 0, "outbox_account_rows_have_seq"),
        (False, 1, "outbox_account_rows_have_seq"),
        (True, 1, "outbox_seq_once_per_account"),
    ],
)
def test_the_database_refuses_a_message_out_of_count(quiet: Cast, account: bool, seq: int | None, rule: str) -> None:
    send("test.unheard", quiet.prepaid)
    with refused_by(rule):
        execute(
            "INSERT INTO outbox (topic, payload, billing_account_id, seq, correlation_id, occurred_at, created_at)"
            " VALUES ('test', '{}', %s, %s, 'c', now(), now())",
            [quiet.prepaid.pk if account else None, seq],
        )


def test_a_message_has_one_delivery_for_each_route(quiet: Cast) -> None:
    message = send("test.noted")
    with refused_by("one_delivery_per_message_and_route"):
        OutboxDelivery.objects.create(message=message, route=delivery(message).route, next_attempt_at=NOON)
    with refused_by("outbox_deliveries_state_is_known"):
        execute("UPDATE outbox_deliveries SET state = 'gone'")
