"""A delivery that was given up goes on its way again when a person says so, once, with a reason."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts import clock, dead_letters
from accounts.audit import person
from accounts.errors import DomainError, NotFound, ReasonRequired, TimeInvalid
from accounts.locking import lock_account
from accounts.models import AuditLog, BillingAccount, OutboxDelivery, OutboxMessage, UsedFormToken, User
from accounts.outbox import emit
from accounts.outbox_relay import MAXIMUM_ATTEMPTS, drain
from tests.accounts import relay_routes
from tests.cast import NOON, Cast
from tests.concurrency.racing import failures, race, successes

LATER = NOON + timedelta(days=1)
ERROR = "RuntimeError: the mail server is away"


@pytest.fixture(autouse=True)
def routed(settings: Any) -> Iterator[None]:
    settings.OUTBOX_ROUTES = "tests.accounts.relay_routes.ROUTES"
    yield
    for kept in (relay_routes.mended, relay_routes.sent, relay_routes.meanwhile):
        kept.clear()


def tell(account: BillingAccount | None, topic: str = "test.sent") -> OutboxDelivery:
    with transaction.atomic():
        if account is not None:
            lock_account(account.pk)
        return emit(topic, {"n": 1}, at=NOON, account=account).deliveries.get()


def given_up(account: BillingAccount | None, error: str = ERROR) -> OutboxDelivery:
    delivery = tell(account)
    OutboxDelivery.objects.filter(pk=delivery.pk).update(
        state="dead", attempts=MAXIMUM_ATTEMPTS, last_error=error, finished_at=NOON
    )
    return again(delivery)


def again(delivery: OutboxDelivery) -> OutboxDelivery:
    return OutboxDelivery.objects.get(pk=delivery.pk)


def replay(delivery: OutboxDelivery, user: User, **changes: Any) -> OutboxDelivery:
    words = {"actor": person(user), "reason": "the mail server is back", "at": LATER} | changes
    return dead_letters.replay(delivery.pk, **words)


# --- the act


def test_it_is_pending_again_with_all_its_tries_and_is_delivered(cast: Cast) -> None:
    dead = given_up(cast.prepaid)
    replayed = replay(dead, cast.dana)
    assert again(dead) == replayed
    assert (replayed.state, replayed.attempts, replayed.finished_at) == ("pending", 0, None)
    assert replayed.next_attempt_at == LATER
    assert replayed.last_error == ERROR  # until it is tried
    assert drain(LATER - timedelta(seconds=1)) == 0
    assert drain(LATER) == 1
    assert relay_routes.sent == [dead.message_id]
    assert (again(dead).state, again(dead).attempts, again(dead).last_error) == ("delivered", 1, "")


def test_it_may_be_given_up_and_replayed_once_more(cast: Cast) -> None:
    def fail(_: OutboxMessage) -> None:
        raise RuntimeError("still away")

    relay_routes.meanwhile.append(fail)
    dead = given_up(cast.prepaid)
    replay(dead, cast.dana)
    at = LATER
    for _ in range(MAXIMUM_ATTEMPTS):
        assert drain(at) == 1
        at = again(dead).next_attempt_at
    assert (again(dead).state, again(dead).attempts) == ("dead", 12)
    assert replay(dead, cast.dana, at=at).state == "pending"


def test_it_is_audited_with_its_reason_and_no_word_of_the_error(cast: Cast) -> None:
    dead = given_up(cast.prepaid, error="SMTPDataError: alice@acme.example is over quota")
    replay(dead, cast.dana)
    row = AuditLog.objects.get(action="outbox.replay")
    assert (row.actor, row.reason, row.at) == (cast.dana, "the mail server is back", LATER)
    assert (row.subject_type, row.subject_id) == ("outbox_delivery", dead.pk)
    assert (row.billing_account, row.organization) == (cast.prepaid, cast.acme)
    assert row.before == {"state": "dead", "attempts": 12}
    assert row.after == {
        "state": "pending",
        "attempts": 0,
        "topic": "test.sent",
        "message": dead.message_id,
        "route": "tests.accounts.relay_routes.send",
    }
    assert "alice" not in json.dumps([row.before, row.after])


def test_a_message_of_no_account_is_replayed_as_well(cast: Cast) -> None:
    dead = given_up(None)
    replay(dead, cast.dana)
    assert drain(LATER) == 1
    assert AuditLog.objects.get(action="outbox.replay").billing_account is None


def test_what_follows_on_the_route_waits_for_it(cast: Cast) -> None:
    dead = given_up(cast.prepaid)
    later = tell(cast.prepaid)
    replay(dead, cast.dana)
    drain(LATER)
    assert relay_routes.sent == [dead.message_id, later.message_id]


def written() -> tuple[object, ...]:
    rows = OutboxDelivery.objects.order_by("pk").values_list(
        "pk", "state", "attempts", "next_attempt_at", "finished_at"
    )
    return (list(rows), AuditLog.objects.filter(action="outbox.replay").count(), UsedFormToken.objects.count())


@pytest.mark.parametrize("state", ["pending", "delivered"])
def test_only_a_dead_one_is_replayed(cast: Cast, state: str) -> None:
    delivery = tell(cast.prepaid)
    if state == "delivered":
        drain(NOON)
    before = written()
    with pytest.raises(DomainError) as refused:
        replay(delivery, cast.dana)
    assert (refused.value.code, refused.value.status, refused.value.field) == ("not_dead", 409, "delivery")
    assert state in refused.value.detail
    assert written() == before


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reason": ""}, ReasonRequired),
        ({"reason": " x "}, ReasonRequired),
        ({"reason": "why\x00"}, ReasonRequired),
        ({"reason": "w" * 2001}, ReasonRequired),
        ({"at": datetime(2026, 3, 10)}, TimeInvalid),  # noqa: DTZ001 without a time zone on purpose
        ({"at": datetime(1999, 1, 1, tzinfo=UTC)}, TimeInvalid),
    ],
)
def test_what_is_no_reason_or_no_moment_is_refused(cast: Cast, changes: Any, error: type[DomainError]) -> None:
    dead = given_up(cast.prepaid)
    before = written()
    with pytest.raises(error):
        replay(dead, cast.dana, **changes)
    assert written() == before


@pytest.mark.parametrize("key", [0, -1, 10**9, 2**63, 10**40])
def test_an_unknown_delivery_is_not_found(cast: Cast, key: int) -> None:
    with pytest.raises(NotFound):
        dead_letters.replay(key, actor=person(cast.dana), reason="mended", at=LATER)


def test_of_replays_at_once_one_has_an_effect(committed_db: str, cast: Cast) -> None:
    dead = given_up(cast.prepaid)
    results = race(*[lambda: replay(dead, cast.dana)] * 4)
    assert len(successes(results)) == 1
    assert {type(error) for error in failures(results)} == {dead_letters.NotDead}
    assert AuditLog.objects.filter(action="outbox.replay").count() == 1


# --- the page


@pytest.fixture
def dana(cast: Cast) -> Client:
    return signed_in(cast.dana)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(delivery: OutboxDelivery) -> str:
    return reverse("admin:accounts_outboxdelivery_replay", args=[delivery.pk])


def detail(delivery: OutboxDelivery) -> str:
    return reverse("admin:accounts_outboxdelivery_change", args=[delivery.pk])


def hidden(response: HttpResponse) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', response.text)
    return {name: unescape(value) for name, value in found}


def test_a_person_sees_what_it_is_then_replays_it_once(cast: Cast, dana: Client) -> None:
    dead = given_up(cast.prepaid)
    before = written()
    preview = dana.post(page(dead), {"reason": "the mail server is back"})
    assert preview.status_code == 200
    for shown in ("test.sent", cast.prepaid.public_id, ERROR, "the mail server is back", "told again"):
        assert shown in unescape(preview.text), shown
    assert re.search(r"<dt>Attempts</dt><dd>12</dd>", preview.text)
    assert written() == before
    form = hidden(preview)
    asked_at = clock.now()
    done = dana.post(page(dead), form)
    assert (done.status_code, done.url) == (302, detail(dead))
    replayed = again(dead)
    assert (replayed.state, replayed.attempts) == ("pending", 0)
    assert asked_at <= replayed.next_attempt_at <= clock.now()
    after = written()
    twice = dana.post(page(dead), form)
    assert twice.status_code == 409
    assert "nothing was done twice" in twice.text
    assert written() == after


def test_a_preview_of_a_handler_of_our_own_tables_warns_of_no_repetition(cast: Cast, dana: Client) -> None:
    delivery = tell(cast.prepaid, "test.noted")
    OutboxDelivery.objects.filter(pk=delivery.pk).update(state="dead", attempts=12, last_error=ERROR)
    preview = dana.post(page(delivery), {"reason": "mended"})
    assert preview.status_code == 200
    assert "told again" not in preview.text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"reason": ""}, 422),
        ({}, 422),
        ({"reason": "x"}, 422),
        ({"reason": "why\x00not"}, 422),
        ({"reason": "w" * 2001}, 422),
        ({"reason": "mended", "token": "stale"}, 409),
        ({"reason": "mended", "token": ""}, 409),
    ],
)
def test_a_bad_form_writes_nothing(cast: Cast, dana: Client, form: dict[str, str], status: int) -> None:
    dead = given_up(cast.prepaid)
    before = written()
    response = dana.post(page(dead), form)
    if form.get("reason") == "x":  # the form lets it pass; the act says what a reason is
        response = dana.post(page(dead), hidden(response))
    assert response.status_code == status
    assert written() == before


def test_a_token_for_another_delivery_or_reason_is_stale(cast: Cast, dana: Client) -> None:
    first, second = given_up(cast.prepaid), given_up(cast.postpaid)
    form = hidden(dana.post(page(first), {"reason": "mended"}))
    before = written()
    assert dana.post(page(second), form).status_code == 409
    assert dana.post(page(first), form | {"reason": "another"}).status_code == 409
    assert written() == before


@pytest.mark.parametrize("when", ["preview", "act"])
def test_one_that_is_no_longer_dead_is_refused_by_its_code(cast: Cast, dana: Client, when: str) -> None:
    dead = given_up(cast.prepaid)
    form = {"reason": "mended"}
    if when == "act":
        form = hidden(dana.post(page(dead), form))
    replay(dead, cast.dana)
    before = written()
    response = dana.post(page(dead), form)
    assert response.status_code == 409
    assert "not_dead" in response.text
    assert written() == before


def test_an_unknown_one_is_not_found(cast: Cast, dana: Client) -> None:
    for key in (10**9, 10**40):
        for answer in (
            dana.get(f"/admin/accounts/outboxdelivery/{key}/replay/"),
            dana.post(f"/admin/accounts/outboxdelivery/{key}/replay/", {"reason": "mended"}),
        ):
            assert answer.status_code == 404


def test_only_operators_replay(cast: Cast) -> None:
    dead = given_up(cast.prepaid)
    before = written()
    erin = signed_in(cast.erin)
    assert erin.get(page(dead)).status_code == 403
    assert erin.post(page(dead), {"reason": "mended"}).status_code == 403
    assert signed_in(cast.alice).post(page(dead), {"reason": "mended"}).status_code == 302  # to the log-in
    assert written() == before


def test_list_and_page_show_the_error_and_offer_the_act_to_operators(cast: Cast, dana: Client) -> None:
    dead = given_up(cast.prepaid)
    waiting = tell(cast.postpaid)
    listed = reverse("admin:accounts_outboxdelivery_changelist")
    for client, offered in ((dana, True), (signed_in(cast.erin), False)):
        for address in (listed, detail(dead)):
            shown = client.get(address)
            assert ERROR in unescape(shown.text)
            assert "test.sent" in shown.text
            assert (page(dead) in shown.text) == offered
        assert page(waiting) not in client.get(listed).text
        assert page(waiting) not in client.get(detail(waiting)).text


# --- the command


def command(*words: str) -> dict[str, Any]:
    """What `replay_delivery` says in its last line."""
    out = StringIO()
    call_command("replay_delivery", *words, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return answer


def test_an_operator_replays_it_from_a_terminal(cast: Cast) -> None:
    dead = given_up(cast.prepaid)
    answer = command(dead.public_id, "--as", cast.dana.email.upper(), "--reason", "the mail server is back")
    assert answer["delivery"] == dead.public_id
    assert (answer["state"], answer["topic"], answer["dry_run"]) == ("pending", "test.sent", False)
    assert (again(dead).state, again(dead).attempts) == ("pending", 0)
    row = AuditLog.objects.get(action="outbox.replay")
    assert (row.actor, row.reason) == (cast.dana, "the mail server is back")


def test_a_dry_run_shows_the_preview_and_writes_nothing(cast: Cast) -> None:
    dead = given_up(None)
    before = written()
    answer = command(dead.public_id, "--as", cast.dana.email, "--reason", "mended", "--dry-run")
    assert answer["dry_run"] is True
    assert (answer["facts"]["Topic"], answer["facts"]["Attempts"]) == ("test.sent", "12")
    assert answer["facts"]["Error"] == ERROR
    assert "told again" in answer["warning"]
    assert written() == before


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)], ids=["for real", "dry"])
@pytest.mark.parametrize(
    ("delivery", "email", "reason", "code"),
    [
        ("{dead}", "erin@countinghouse.example", "mended", "forbidden"),
        ("{dead}", "alice@acme.example", "mended", "forbidden"),
        ("{dead}", "nobody@countinghouse.example", "mended", "not_found"),
        ("{dead}", "dana\x00@countinghouse.exampl", "mended", "text_invalid"),
        ("{dead}", "dana@countinghouse.example", "", "required"),
        ("{dead}", "dana@countinghouse.example", "why\x00", "text_invalid"),
        ("{dead}", "dana@countinghouse.example", "w" * 2001, "max_length"),
        ("{waiting}", "dana@countinghouse.example", "mended", "not_dead"),
        ("dlv_000000zzzzzzz", "dana@countinghouse.example", "mended", "not_found"),
        ("ba_0000000000001", "dana@countinghouse.example", "mended", "not_found"),
        ("１", "dana@countinghouse.example", "mended", "not_found"),
        ("9" * 400, "dana@countinghouse.example", "mended", "not_found"),
        ("", "dana@countinghouse.example", "mended", "not_found"),
    ],
)
def test_the_command_refuses_what_the_page_refuses(
    cast: Cast, delivery: str, email: str, reason: str, code: str, dry_run: tuple[str, ...]
) -> None:
    dead, waiting = given_up(cast.prepaid), tell(cast.prepaid)
    named = delivery.format(dead=dead.public_id, waiting=waiting.public_id)
    before = written()
    with pytest.raises(CommandError) as refused:
        command(named, f"--as={email}", f"--reason={reason}", *dry_run)
    assert str(refused.value).startswith(f"{code}: ")
    assert written() == before
