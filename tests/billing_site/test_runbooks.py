"""The runbook of a wedged accrual: it names what was planted, and its acts help, once, audited, without harm."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from accounts import doorbells
from accounts.clock import now
from accounts.models import AuditLog, UsedFormToken
from billing_site import accrual_facts
from billing_site.accrual_facts import Session
from billing_site.back_office.runbooks import accrual_wedged, acts
from billing_site.back_office.runbooks.reading import Reading
from billing_site.broker import Broker
from ledger import accrual, parked_retries, parking
from ledger.errors import Unpriced
from ledger.models import AccrualSchedule, UsageRecord
from quotas.allocations import start
from tests.cast import ACTOR, Cast

PAGE = reverse("admin:runbooks_accrual")
DRAIN = reverse("admin:runbooks_accrual_drain")
RETRY = reverse("admin:runbooks_accrual_retry")
REASON = "the worker is being mended"


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    accrual.drain(now())  # nothing is due
    client.force_login(cast.dana)
    return client


@pytest.fixture(autouse=True)
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis of the suite is shared: its queue is not this test's."""
    monkeypatch.setattr(accrual_facts.broker, "look", lambda: Broker(eviction="noeviction"))


def ring(seconds_ago: float = 1, *, task: str = "ledger.accrue", answered: bool = True, error: str = "") -> None:
    at = now() - timedelta(seconds=seconds_ago)
    doorbells.note_ring(task, at=at)
    if answered:
        doorbells.note_answer(task, rang_at=at, at=at, error=error)


def run_for(cast: Cast, *, minutes: int = 30) -> None:
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=now() - timedelta(minutes=minutes))


def titles(reading: Reading) -> list[str]:
    return [cause.title for cause in reading.causes]


def redis_says(monkeypatch: pytest.MonkeyPatch, **said: object) -> None:
    monkeypatch.setattr(accrual_facts.broker, "look", lambda: Broker(**said))  # type: ignore[arg-type]


def token_of(text: str) -> str:
    return text.split('name="token" value="')[1].split('"')[0]


def press(client: Client, address: str, **fields: str) -> object:
    preview = client.post(address, fields)
    assert preview.status_code == 200, preview.text
    return client.post(address, {**fields, "token": token_of(preview.text)})


@pytest.mark.django_db
def test_a_sound_site_says_that_there_is_nothing_to_do(dana: Client) -> None:
    ring()
    shown = dana.get(PAGE)
    assert "Billing is up to date. There is nothing to do." in shown.text
    assert titles(shown.context["reading"]) == []
    assert {symptom.tone for symptom in shown.context["reading"].symptoms} == {"calm"}
    contents = dana.get(reverse("admin:runbooks")).text
    assert PAGE in contents
    assert "There is nothing to do." in contents


def silent_beat(cast: Cast, _: pytest.MonkeyPatch) -> None:
    ring(900)


def dead_worker(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ring(900)
    redis_says(monkeypatch, waiting=180)


def dead_redis(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ring(900)
    redis_says(monkeypatch, error="Error 111 connecting")


def failing_tick(cast: Cast, _: pytest.MonkeyPatch) -> None:
    ring(error="OperationalError: lock timeout")


def endless_tick(cast: Cast, _: pytest.MonkeyPatch) -> None:
    ring(900, answered=False)
    ring(task="accounts.relay_outbox")


def parked(cast: Cast, _: pytest.MonkeyPatch) -> None:
    ring()
    parking.park(cast.postpaid.pk, Unpriced([cast.postpaid.pk]), at=now())


def held(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ring()
    began = now() - timedelta(minutes=5)
    session = Session(4711, "countinghouse_app", "psql", "idle in transaction", began, True, [])
    monkeypatch.setattr(accrual_facts, "sessions", lambda: [session])


def unseen(cast: Cast, _: pytest.MonkeyPatch) -> None:
    ring()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("plant", "title"),
    [
        (silent_beat, "Beat does not run"),
        (dead_worker, "The worker does not run"),
        (dead_redis, "Redis does not answer, so no ring reaches the worker"),
        (failing_tick, "The tick fails as a whole"),
        (endless_tick, "The tick does not come to an end"),
        (parked, "1 parked: unpriced_usage"),
        (held, "Somebody holds accounts"),
        (unseen, "The reason is not seen from here"),
    ],
)
def test_each_planted_cause_is_named_with_what_to_do(
    cast: Cast,
    dana: Client,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[Cast, pytest.MonkeyPatch], None],
    title: str,
) -> None:
    run_for(cast)
    plant(cast, monkeypatch)
    shown = dana.get(PAGE)
    assert titles(shown.context["reading"]) == [title]
    assert shown.context["reading"].tone == "alarm"
    assert all(cause.steps for cause in shown.context["reading"].causes)


@pytest.mark.django_db
def test_a_missing_month_is_told_before_it_is_needed(cast: Cast) -> None:
    ring()
    far = now() + timedelta(days=4000)
    reading = accrual_wedged.read(far)
    assert "A month is missing" in titles(reading)


@pytest.mark.django_db
def test_a_viewer_sees_what_is_wrong_and_no_button(cast: Cast, client: Client) -> None:
    run_for(cast)
    client.force_login(cast.erin)  # approves, does not operate
    text = client.get(PAGE).text
    assert "Beat does not run" in text
    assert DRAIN not in text
    assert client.get(DRAIN).status_code == 403
    assert client.post(RETRY, {"reason": REASON}).status_code == 403


def test_a_session_that_holds_an_account_is_seen_and_who_waits_for_it(
    committed_db: str, cast: Cast, process_environment: dict[str, str]
) -> None:
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SELECT FROM billing_accounts WHERE id = %s FOR UPDATE", [cast.prepaid.pk])
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        seen = [session for session in accrual_facts.sessions() if session.holds_accounts]
        assert [(session.pid, session.state) for session in seen] == [(pid, "idle in transaction")]
        assert seen[0].began_at is not None
    finally:
        holder.rollback()
        holder.close()


def test_drain_bills_what_is_due_outside_a_transaction_and_once(
    committed_db: str, cast: Cast, dana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_for(cast)
    real = accrual.drain

    def watched(*arguments: object, **options: object) -> accrual.Tally:
        assert not connection.in_atomic_block
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(acts.accrual, "drain", watched)
    preview = dana.post(DRAIN, {"reason": REASON})
    assert "Accounts due" in preview.text
    sent = {"reason": REASON, "token": token_of(preview.text)}
    answer = dana.post(DRAIN, sent)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert UsageRecord.objects.count() == 30
    asked, done = AuditLog.objects.filter(action__startswith="accrual.drain").order_by("pk")
    assert (asked.action, asked.actor, asked.reason) == ("accrual.drain_asked", cast.dana, REASON)
    assert done.after == {"windows": 30, "accounts": 1, "parked": 0, "left": 0}
    assert dana.post(DRAIN, sent).status_code == 409
    assert AuditLog.objects.filter(action__startswith="accrual.drain").count() == 2


@pytest.mark.django_db
def test_a_drain_ends_in_time_and_says_what_is_left(cast: Cast, dana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for project in (cast.project, cast.postpaid_project):
        start(project, cast.gpu, quantity="1", actor=ACTOR, at=now() - timedelta(minutes=30))
    monkeypatch.setattr(acts, "DRAIN_SECONDS", 0.0)
    monkeypatch.setattr(acts, "DRAIN_ACCOUNTS", 1)
    press(dana, DRAIN, reason=REASON)
    assert UsageRecord.objects.values("billing_account").distinct().count() == 1
    assert AuditLog.objects.get(action="accrual.drain").after["left"] >= 1  # type: ignore[index]


@pytest.mark.django_db
def test_a_drain_that_the_database_breaks_off_is_a_refusal(
    cast: Cast, dana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_for(cast)

    def break_off(*_: object, **__: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(acts.accrual, "drain", break_off)
    answer = press(dana, DRAIN, reason=REASON)
    assert answer.status_code == 503  # type: ignore[attr-defined]
    assert "drain_interrupted" in answer.text  # type: ignore[attr-defined]
    assert AuditLog.objects.filter(action="accrual.drain_asked").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["", "x", "x" * 2001, "nul\x00here"])
@pytest.mark.parametrize("address", [DRAIN, RETRY])
def test_without_a_reason_nothing_is_done(cast: Cast, dana: Client, address: str, reason: str) -> None:
    run_for(cast)
    parking.park(cast.prepaid.pk, Unpriced([cast.prepaid.pk]), at=now())
    before = AuditLog.objects.count()
    for sent in ({"reason": reason}, {"reason": reason, "token": "made up"}):
        assert dana.post(address, sent).status_code in (409, 422)
    assert (AuditLog.objects.count(), UsedFormToken.objects.count()) == (before, 0)
    assert not UsageRecord.objects.exists()


@pytest.mark.django_db
def test_made_up_tokens_and_idle_sites_are_refused(cast: Cast, dana: Client) -> None:
    idle = dana.post(DRAIN, {"reason": REASON})
    assert (idle.status_code, "nothing_due" in idle.text) == (409, True)
    idle = dana.post(RETRY, {"reason": REASON})
    assert (idle.status_code, "not_parked" in idle.text) == (409, True)
    run_for(cast)
    for token in ("", "made up", "\x00"):
        assert dana.post(DRAIN, {"reason": REASON, "token": token}).status_code == 409
    assert not UsageRecord.objects.exists()


@pytest.mark.django_db
def test_all_parked_accounts_are_tried_again_each_with_its_audit_row(cast: Cast, dana: Client) -> None:
    accounts = [cast.prepaid, cast.postpaid]
    for account in accounts:
        parking.park(account.pk, Unpriced([account.pk]), at=now())
    preview = dana.post(RETRY, {"reason": REASON})
    assert "2 of 2 accounts" in preview.text
    press(dana, RETRY, reason=REASON)
    rows = AuditLog.objects.filter(action="accrual.retry")
    assert {row.billing_account_id for row in rows} == {account.pk for account in accounts}
    assert {(row.actor_id, row.reason) for row in rows} == {(cast.dana.pk, REASON)}
    assert not AccrualSchedule.objects.filter(retry_at__gt=now()).exists()


@pytest.mark.django_db
def test_only_those_of_one_reason_are_tried_again(cast: Cast, dana: Client) -> None:
    for account in (cast.prepaid, cast.postpaid):
        parking.park(account.pk, Unpriced([account.pk]), at=now())
    AccrualSchedule.objects.filter(pk=cast.prepaid.pk).update(park_code="22003")
    assert dana.post(RETRY, {"reason": REASON, "code": "no such"}).status_code == 422
    press(dana, RETRY, reason=REASON, code="unpriced_usage")
    assert AuditLog.objects.get(action="accrual.retry").billing_account == cast.postpaid


@pytest.mark.django_db
def test_more_than_one_act_takes_are_left_for_the_next(
    cast: Cast, dana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in (cast.prepaid, cast.postpaid):
        parking.park(account.pk, Unpriced([account.pk]), at=now())
    monkeypatch.setattr(parked_retries, "MOST", 1)
    assert "1 of 2 accounts" in dana.post(RETRY, {"reason": REASON}).text
    press(dana, RETRY, reason=REASON)
    first = min(cast.prepaid.pk, cast.postpaid.pk)
    assert AuditLog.objects.get(action="accrual.retry").billing_account_id == first
