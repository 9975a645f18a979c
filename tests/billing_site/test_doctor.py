"""Doctor finds each planted fault, says what to do, hides none behind another, and changes nothing."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from accounts import clock, doorbells, outbox_relay
from accounts.models import DeliveryState, OutboxDelivery, OutboxMessage
from billing_site.broker import Broker
from billing_site.doctor import Finding, Level, examine, ground, neighbours
from billing_site.roles import application_role, as_owner
from ledger import accrual, parking
from ledger.errors import Unpriced
from ledger.models import AccrualSchedule, BalanceState, ForceRelease, LedgerTransaction, VerificationRun
from ledger.top_ups import post_top_up
from ledger.verification import verify
from quotas import limits, subscription_clock
from quotas.allocations import start
from quotas.catalog.faults import CatalogInvalid, Fault
from quotas.catalog_refusals import raise_alarm, resolve
from quotas.subscriptions import assign_plan
from tests.cast import ACTOR, Cast
from tests.quotas.plans import publish

ROOT = Path(__file__).resolve().parents[2]
EVERY_CHECK = {
    *("settings", "database", "roles", "triggers", "grants", "owner", "migrations", "clock", "redis", "worker"),
    *(
        "mail",
        "disk",
        "accrual",
        "parked",
        "balances",
        "releases",
        "catalog",
        "plans",
        "outbox",
        "cluster",
        "partitions",
    ),
    *("last proof", "invariants"),
}


@pytest.fixture
def sound(committed_db: str, cast: Cast) -> Cast:
    """The cast on a site where all that was due is done and the books were proved."""
    accrual.drain(clock.now())
    outbox_relay.drain(clock.now())
    verify(clock.now(), full=True)
    ring(clock.now())
    return cast


def ring(at: datetime, *, error: str = "") -> None:
    """The worker is heard until `at`."""
    doorbells.note_ring("ledger.accrue", at=at)
    doorbells.note_answer("ledger.accrue", rang_at=at, at=at, error=error)


def found(at: datetime | None = None, *, full: bool = False) -> list[Finding]:
    """The findings at a moment; a worker that only a later moment makes silent is left out."""
    if at:
        ring(at)
    return list(examine(at or clock.now(), full=full))


def wrong(findings: Iterable[Finding]) -> dict[str, str]:
    """What is not good, by check: its level and words; every such line says what to do."""
    bad = [finding for finding in findings if finding.level != Level.GOOD]
    assert all(finding.todo for finding in bad)
    assert all("\n" not in finding.line() for finding in bad)
    return {finding.check: f"{finding.level}: {finding.what}" for finding in bad}


def as_owner_run(*statements: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def plant_message(cast: Cast, state: DeliveryState, moment: datetime) -> None:
    message = OutboxMessage.objects.create(
        topic="test.topic", payload={}, billing_account=cast.prepaid, seq=1, correlation_id="test", occurred_at=moment
    )
    OutboxDelivery.objects.create(
        message=message, billing_account=cast.prepaid, route="no.such", state=state, next_attempt_at=moment
    )


def test_a_sound_site_is_all_well(sound: Cast) -> None:
    printed = StringIO()
    call_command("doctor", stdout=printed)
    lines = printed.getvalue().splitlines()
    assert [line for line in lines[:-1] if not line.startswith("✓ ")] == []
    assert lines[-1] == "All is well."
    assert {finding.check for finding in found()} == EVERY_CHECK


@pytest.mark.parametrize(
    ("statement", "check", "words"),
    [
        ("DROP TRIGGER entries_are_whole ON ledger_entries", "triggers", "entries_are_whole is missing"),
        ("ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_rows_never_change", "triggers", "switched off"),
        ("REVOKE INSERT ON bank_transfers FROM {app}", "grants", "on bank_transfers"),
        ("CREATE TABLE stray (id int)", "grants", "table stray is not listed"),
        (
            "GRANT UPDATE (amount_minor) ON ledger_entries TO {app}",
            "grants",
            "holds UPDATE on ledger_entries.amount_minor",
        ),
        ("REVOKE INSERT (actor) ON ledger_transactions FROM {app}", "grants", "lacks INSERT"),
        ("REVOKE EXECUTE ON FUNCTION ensure_month(date) FROM {app}", "grants", "ensure_month"),
        ("GRANT CREATE ON SCHEMA public TO {app}", "roles", "countinghouse.E010"),
        ("ALTER DATABASE {name} SET synchronous_commit = off", "database", "synchronous_commit is off"),
        ("DELETE FROM django_migrations WHERE app = 'payments' AND name LIKE '0002%%'", "migrations", "1 wait"),
    ],
)
def test_each_fault_of_the_ground_is_found(
    sound: Cast, committed_db: str, statement: str, check: str, words: str
) -> None:
    as_owner_run(statement.format(app=application_role(), name=committed_db))
    bad = wrong(found())
    assert set(bad) == {check}
    assert bad[check].startswith("fault: ")
    assert words in bad[check]


def test_a_database_newer_than_the_code_is_worth_a_look(sound: Cast) -> None:
    as_owner_run("INSERT INTO django_migrations (app, name, applied) VALUES ('ledger', '9999_future', now())")
    assert wrong(found()) == {
        "migrations": "warning: the database has 1 that this code does not know, first ledger.9999_future"
    }


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "ahead of"), (-3, "behind"), (600, "ahead of"), (1, ""), (-1, "")],
)
def test_a_clock_that_differs_by_more_than_two_seconds_is_a_fault(
    sound: Cast, monkeypatch: pytest.MonkeyPatch, seconds: int, words: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(seconds=seconds))
    bad = wrong(found(clock.now()))
    assert set(bad) == ({"clock"} if words else set())
    assert words in bad.get("clock", "")


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "nonsense"])
def test_redis_that_does_not_answer_is_a_fault(sound: Cast, address: str) -> None:
    with override_settings(REDIS_URL=address):
        assert set(wrong(found())) == {"redis"}


def test_redis_that_may_forget_is_worth_a_look(sound: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours.broker, "look", lambda: Broker(eviction="allkeys-lru", limit_bytes=1 << 30))
    assert "maxmemory-policy is allkeys-lru" in wrong(found())["redis"]


def test_a_worker_that_is_not_heard_is_told(sound: Cast) -> None:
    doorbells.note_ring("ledger.accrue", at=clock.now() - timedelta(minutes=9))
    assert wrong(found()) == {}
    doorbells.note_ring("ledger.accrue", at=clock.now() - timedelta(hours=3))
    assert wrong(found()) == {"worker": "fault: no task rang since 3 h"}
    as_owner_run("DELETE FROM doorbells")
    assert wrong(found()) == {"worker": "warning: no task ever rang here"}


def test_a_task_that_fails_is_named_with_its_error(sound: Cast) -> None:
    ring(clock.now(), error="OperationalError: lock timeout")
    bad = wrong(found())
    assert bad == {"worker": "warning: ledger.accrue failed when it last rang: OperationalError: lock timeout"}


@pytest.mark.parametrize(
    ("environment", "backend", "level"),
    [("sandbox", "console", "warning"), ("live", "console", "fault"), ("live", "filebased", "fault")],
)
def test_a_site_of_others_that_sends_no_mail_is_told(sound: Cast, environment: str, backend: str, level: str) -> None:
    backend = f"django.core.mail.backends.{backend}.EmailBackend"
    with override_settings(ENVIRONMENT=environment, EMAIL_BACKEND=backend):
        assert wrong(found())["mail"].startswith(f"{level}: no letter is sent")


def test_a_mail_server_that_is_not_there_is_a_fault(sound: Cast) -> None:
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=smtp, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
        assert wrong(found())["mail"].startswith("fault: 127.0.0.1:1 does not answer")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with override_settings(EMAIL_BACKEND=smtp, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port):
            assert wrong(found())["mail"].startswith("warning: letters come from")
            with override_settings(MAIL_DOMAIN="acme.com"):
                assert "mail" not in wrong(found())


@pytest.mark.parametrize("key", ["short", "ab" * 40])
def test_a_secret_that_could_be_guessed_is_a_fault(sound: Cast, key: str) -> None:
    with override_settings(ENVIRONMENT="sandbox", SECRET_KEY=key):
        faults = [finding for finding in found() if finding.level == Level.FAULT]
    assert [finding.check for finding in faults] == ["settings"]
    assert "SECRET_KEY" in faults[0].what


def test_a_prepaid_account_without_its_state_is_a_fault(sound: Cast) -> None:
    as_owner_run(
        "ALTER TABLE balance_states DISABLE TRIGGER USER",
        f"DELETE FROM balance_states WHERE billing_account_id = {sound.foreign.pk}",
        "ALTER TABLE balance_states ENABLE TRIGGER USER",
    )
    bad = wrong(found())
    assert bad["balances"] == f"fault: prepaid accounts without a balance state: {sound.foreign.public_id}"


def test_accounts_that_nobody_judges_are_a_fault(sound: Cast) -> None:
    BalanceState.objects.update(judge_due=True)
    count = BalanceState.objects.count()
    bad = wrong(found())
    assert set(bad) == {"balances"}
    assert bad["balances"].startswith(f"fault: {count} accounts wait to be judged")
    accrual.drain(clock.now())
    assert wrong(found()) == {}


def test_limits_and_subscriptions_that_nobody_moves_are_faults(sound: Cast) -> None:
    long_ago = clock.now() - timedelta(days=40)
    publish(at=long_ago)
    limits.drain(long_ago)
    assign_plan(sound.acme, "pro-pool", {}, actor=ACTOR, reason="for a test", at=long_ago)
    assert wrong(found())["plans"].startswith("fault: a subscription is due since 9 d")
    subscription_clock.drain(clock.now())
    limits.mark_due([sound.acme.pk], at=clock.now() - timedelta(minutes=6))
    assert wrong(found())["plans"] == "fault: limits wait to be computed since 6 min"
    limits.drain(clock.now())
    assert "plans" not in wrong(found())


def test_a_refused_catalog_is_a_fault_until_a_good_one_comes(sound: Cast) -> None:
    raise_alarm("plans.yaml", CatalogInvalid([Fault("eipQuota", "is required")]), at=clock.now())
    said = wrong(found())["catalog"]
    assert said == "fault: refused, from plans.yaml; the last good one is in force"
    resolve("plans.yaml", at=clock.now())
    assert "catalog" not in wrong(found())


def test_a_release_that_nobody_confirms_is_worth_a_look(sound: Cast) -> None:
    begun = clock.now() - timedelta(hours=3)
    start(sound.project, sound.gpu, quantity=1, actor=ACTOR, at=begun)
    accrual.drain(clock.now())
    outbox_relay.drain(clock.now())
    assert ForceRelease.objects.count() == 1
    assert "releases" not in wrong(found())
    later = clock.now() + timedelta(days=2)
    accrual.drain(later)
    assert wrong(found(later))["releases"].startswith("warning: 1 unconfirmed past their grace")


@pytest.mark.parametrize(("free", "level"), [(1 << 29, "fault"), (2 << 30, "warning")])
def test_a_full_disk_is_told_before_it_is_full(
    sound: Cast, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(ground.shutil, "disk_usage", lambda path: Usage(free))
    assert wrong(found())["disk"].startswith(level)


def test_an_owner_who_is_not_let_in_is_a_fault(sound: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    name = connection.settings_dict["NAME"]
    with monkeypatch.context() as patch:
        patch.setenv("DATABASE_URL", f"postgresql://countinghouse_app@localhost/{name}")
        patch.setenv("DATABASE_OWNER_URL", f"postgresql://no_such_role@localhost/{name}")
        bad = wrong(found())
        assert set(bad) == {"owner"}
        assert "not let in" in bad["owner"]
        patch.setenv("DATABASE_OWNER_URL", "mysql://owner@localhost/books")
        assert "could not be looked at" in wrong(found())["owner"]


def test_a_site_that_others_reach_needs_more_than_the_defaults(sound: Cast) -> None:
    with override_settings(ENVIRONMENT="sandbox", DEBUG=True, ALLOWED_HOSTS=["*"]):
        warned = [finding for finding in found() if finding.level == Level.WARNING]
    assert [finding.check for finding in warned] == ["settings", "settings", "mail"]
    assert "DEBUG" in warned[0].what
    assert "ALLOWED_HOSTS" in warned[1].what


def test_a_parked_account_is_named_with_its_code(sound: Cast) -> None:
    parking.park(sound.prepaid.pk, Unpriced([sound.prepaid.pk]), at=clock.now())
    outbox_relay.drain(clock.now())
    assert wrong(found()) == {"parked": f"fault: 1 parked: {sound.prepaid.public_id} (unpriced_usage, 1 tries)"}


def test_usage_that_waits_too_long_is_a_fault(sound: Cast) -> None:
    begun = clock.now()
    start(sound.project, sound.gpu, quantity=1, actor=ACTOR, at=begun)
    assert set(wrong(found(begun + timedelta(seconds=90)))) == set()
    assert wrong(found(begun + timedelta(seconds=300)))["accrual"].startswith("warning: ")
    assert wrong(found(begun + timedelta(hours=3)))["accrual"] == "fault: usage waits to be billed since 3 h"


def test_an_account_that_nothing_would_wake_is_found(sound: Cast) -> None:
    start(sound.project, sound.gpu, quantity=1, actor=ACTOR, at=clock.now())
    AccrualSchedule.objects.filter(billing_account=sound.prepaid).update(due_at=None)
    assert wrong(found()) == {"accrual": f"fault: 1 accounts run but are not scheduled: {sound.prepaid.pk}"}


def test_a_dead_letter_is_a_fault(sound: Cast) -> None:
    plant_message(sound, DeliveryState.DEAD, clock.now())
    assert wrong(found()) == {"outbox": "fault: 1 dead letters"}


def test_an_outbox_that_nobody_relays_is_a_fault(sound: Cast) -> None:
    begun = clock.now()
    plant_message(sound, DeliveryState.PENDING, begun)
    assert "outbox" not in wrong(found(begun + timedelta(seconds=60)))
    assert wrong(found(begun + timedelta(seconds=300)))["outbox"].startswith("warning: 1 pending")
    assert wrong(found(begun + timedelta(hours=1)))["outbox"].startswith("fault: 1 pending")


def test_a_delivery_that_backs_off_is_no_standstill(sound: Cast) -> None:
    begun = clock.now()
    plant_message(sound, DeliveryState.PENDING, begun)
    for minute in range(20):
        outbox_relay.drain(begun + timedelta(minutes=minute))
    assert wrong(found(begun + timedelta(minutes=20)))["outbox"].startswith("warning: 1 pending")


def test_a_month_without_its_partition_is_told(sound: Cast) -> None:
    far = datetime(2033, 12, 20, tzinfo=UTC)
    assert wrong(found(far))["partitions"] == (
        "warning: usage has no partition for 2033-12, 2034-01, and nothing runs yet"
    )
    start(sound.project, sound.gpu, quantity=1, actor=ACTOR, at=clock.now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_month(%s)", [date(2033, 12, 1)])
    assert wrong(found(far))["partitions"] == "fault: usage has no partition for 2034-01"


def test_a_run_with_violations_is_a_fault_until_a_clean_one_follows(sound: Cast) -> None:
    now = clock.now()
    VerificationRun.objects.create(
        started_at=now, finished_at=now, full=False, watermark=0, violations=[], violation_count=7
    )
    assert wrong(found(now + timedelta(minutes=1))) == {"last proof": "fault: 1 min ago, 7 violations"}
    assert wrong(found(now + timedelta(minutes=2))) == {}


def test_a_stale_run_is_worth_a_look(sound: Cast) -> None:
    now = clock.now()
    assert wrong(found(now + timedelta(days=3)))["last proof"].startswith("warning: 3 d ")
    assert "full proof" in wrong(found(now + timedelta(days=40)))
    assert "full proof" not in wrong(found(now + timedelta(days=40), full=True))


def test_a_book_that_was_tampered_with_is_named(sound: Cast) -> None:
    posted = post_top_up(sound.prepaid, amount_minor=5000, provider="manual", session_id=1, actor=ACTOR, at=clock.now())
    assert wrong(found()) == {}
    as_owner_run(
        "ALTER TABLE ledger_entries DISABLE TRIGGER USER",
        f"UPDATE ledger_entries SET amount_minor = 5001 WHERE amount_minor = 5000"
        f" AND transaction_id = {posted.transaction_id}",
        "ALTER TABLE ledger_entries ENABLE TRIGGER USER",
    )
    bad = wrong(found(full=True))
    assert set(bad) == {"invariants"}
    assert bad["invariants"].startswith("fault: ")
    run = VerificationRun.objects.latest("started_at")
    assert "wallet USD: entries 5001, totals 5000" in [violation["detail"] for violation in run.violations]
    first = run.violations[0]
    assert f"first {first['rule']}: row {first['row']}: {first['detail']}" in bad["invariants"]


def test_a_check_that_breaks_hides_no_other(sound: Cast) -> None:
    as_owner_run(f"REVOKE SELECT ON outbox_deliveries FROM {application_role()}")
    findings = found()
    bad = wrong(findings)
    assert set(bad) == {"grants", "outbox"}
    assert "could not be looked at" in bad["outbox"]
    assert {finding.check for finding in findings} == EVERY_CHECK


def test_the_command_answers_in_json_and_by_its_exit_code(sound: Cast) -> None:
    plant_message(sound, DeliveryState.DEAD, clock.now())
    printed = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json", stdout=printed)
    assert ended.value.code == 1
    answer = json.loads(printed.getvalue())
    assert answer["sound"] is False
    assert {finding["check"] for finding in answer["findings"]} == EVERY_CHECK
    assert [finding["check"] for finding in answer["findings"] if finding["level"] == "fault"] == ["outbox"]


def test_it_works_without_the_owner_and_changes_nothing(sound: Cast, process_environment: dict[str, str]) -> None:
    start(sound.project, sound.gpu, quantity=1, actor=ACTOR, at=clock.now() - timedelta(minutes=1))
    before = _rows()
    process_environment.pop("DATABASE_OWNER_URL")
    ended = doctor(process_environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "DATABASE_OWNER_URL is not given here" in ended.stdout
    assert _rows() == before
    assert VerificationRun.objects.count() == 2


def test_without_a_database_it_still_says_what_is_wrong(process_environment: dict[str, str], tmp_path: Path) -> None:
    nowhere = f"postgresql://countinghouse_app:hunter2@/books?host={tmp_path}"
    ended = doctor({**process_environment, "DATABASE_URL": nowhere})
    assert ended.returncode == 1
    assert "✗ database     countinghouse.E004: The database does not answer" in ended.stdout
    assert "✓ redis" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "hunter2" not in ended.stdout + ended.stderr


def test_an_empty_database_is_one_line_and_not_a_crash(empty_database: dict[str, str]) -> None:
    ended = doctor(empty_database)
    assert ended.returncode == 1
    assert [line.split(":")[0] for line in ended.stdout.splitlines() if line.startswith("✗")] == [
        "✗ database     countinghouse.E013"
    ]
    assert "→ Run manage.py migrate." in ended.stdout
    assert ended.stderr == ""


def test_tables_of_an_earlier_release_are_told_and_not_a_crash(
    sound: Cast, process_environment: dict[str, str]
) -> None:
    as_owner_run("ALTER TABLE billing_provider_switches RENAME TO of_a_later_release")
    ended = doctor(process_environment)
    assert ended.returncode == 1
    assert "✗ triggers" in ended.stdout
    assert "✓ redis" in ended.stdout
    assert "Traceback" not in ended.stderr


def doctor(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _rows() -> list[tuple[object, ...]]:
    """What a doctor who meddles would move."""
    schedules = AccrualSchedule.objects.order_by("pk").values_list("pk", "due_at", "parked_at")
    return [
        *schedules,
        *OutboxDelivery.objects.order_by("pk").values_list("pk", "state", "attempts"),
        (LedgerTransaction.objects.count(), OutboxMessage.objects.count()),
    ]
