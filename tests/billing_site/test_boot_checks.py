"""Nothing serves on an unsafe database or with unsafe settings; what repairs them still runs."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import override_settings

from billing_site import boot_checks, database_rules
from billing_site.roles import application_role, as_owner

ROOT = Path(__file__).resolve().parents[2]


def ids() -> set[str]:
    return {str(fault.id) for fault in boot_checks.faults()}


def as_owner_run(*statements: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def start(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.django_db
def test_the_migrated_database_is_sound() -> None:
    assert boot_checks.faults() == []


@pytest.mark.django_db
def test_the_list_of_triggers_is_what_the_migrations_make() -> None:
    assert set(database_rules.standing_triggers()) == database_rules.expected_triggers()


@pytest.mark.parametrize("part", ["_is_never_emptied", "_is_written_through_its_parent", "_rows_never_change"])
def test_a_month_without_its_own_guards_is_found(committed_db: str, part: str) -> None:
    as_owner_run(
        "SELECT ensure_month('2031-07-01')",
        "ALTER TABLE usage_records_2031_07 DISABLE TRIGGER "
        + ("usage_records" if part == "_rows_never_change" else "usage_records_2031_07")
        + part,
    )
    (fault,) = boot_checks.faults()
    assert fault.id == "countinghouse.E007"
    assert part in fault.msg


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DROP TRIGGER entries_are_whole ON ledger_entries", "countinghouse.E007"),
        ("ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_rows_never_change", "countinghouse.E007"),
        ("ALTER TABLE usage_records ENABLE REPLICA TRIGGER usage_moves_the_cursor", "countinghouse.E007"),
        ("GRANT UPDATE ON ledger_entries TO {app}", "countinghouse.E008"),
        ("GRANT TRUNCATE ON outbox TO PUBLIC", "countinghouse.E008"),
        ("REVOKE INSERT ON ledger_entries FROM {app}", "countinghouse.E008"),
        ("CREATE TABLE stowaway (id int)", "countinghouse.E008"),
        ("ALTER DATABASE {name} SET synchronous_commit = off", "countinghouse.E005"),
        ("ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'", "countinghouse.E005"),
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", "countinghouse.E005"),
        ("GRANT CREATE ON SCHEMA public TO {app}", "countinghouse.E010"),
    ],
)
def test_each_fault_of_the_database_is_found(committed_db: str, statement: str, fault: str) -> None:
    assert ids() == set()
    as_owner_run(statement.format(app=application_role(), name=committed_db))
    assert ids() == {fault}


def test_serving_as_the_owner_is_refused(committed_db: str) -> None:
    with as_owner():
        assert "countinghouse.E010" in ids()


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(boot_checks.DATABASE_SETTINGS))
def test_each_setting_of_the_server_is_read(name: str) -> None:
    """`fsync` and its like belong to the whole server, so the server's view is covered by a changed copy."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE pg_settings AS SELECT name,"
            " CASE WHEN name = %s THEN 'unsafe' ELSE setting END AS setting FROM pg_catalog.pg_settings",
            [name],
        )
        cursor.execute("SET LOCAL search_path = pg_temp, pg_catalog, public")
        (fault,) = boot_checks.faults()
        assert fault.id == "countinghouse.E005"
        assert fault.msg.startswith(f"{name} is unsafe")


@pytest.mark.django_db
@pytest.mark.parametrize("power", ["rolsuper", "rolbypassrls", "rolcreaterole", "rolreplication"])
def test_an_administrator_does_not_serve(power: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE pg_roles AS SELECT oid, rolname, rolsuper, rolbypassrls, rolcreaterole,"
            " rolreplication FROM pg_catalog.pg_roles"
        )
        cursor.execute(f"UPDATE pg_roles SET {power} = true WHERE rolname = current_user")
        cursor.execute("SET LOCAL search_path = pg_temp, pg_catalog, public")
        assert "countinghouse.E009" in ids()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(60, {"countinghouse.E011"}), (-60, {"countinghouse.E011"}), (2, set()), (-2, set())],
)
def test_a_clock_that_differs_is_found(monkeypatch: pytest.MonkeyPatch, seconds: int, expected: set[str]) -> None:
    monkeypatch.setattr(boot_checks.clock, "now", lambda: datetime.now(UTC) + timedelta(seconds=seconds))
    assert ids() == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"DEBUG": True, "STRIPE_LIVE_SECRET_KEY": "sk_live_x"}, {"countinghouse.E001"}),
        ({"DEBUG": True, "ENVIRONMENT": "live"}, {"countinghouse.E001"}),
        (
            {"DEBUG": True, "STRIPE_TEST_SECRET_KEY": "rk_live_x"},
            {"countinghouse.E001", "countinghouse.E002"},
        ),
        ({"DEBUG": False, "STRIPE_TEST_SECRET_KEY": "sk_live_x"}, {"countinghouse.E002"}),
        ({"DEBUG": False, "STRIPE_LIVE_SECRET_KEY": "sk_live_x"}, set()),
        ({"DEBUG": True, "STRIPE_TEST_SECRET_KEY": "sk_test_x"}, set()),
    ],
)
def test_debug_never_meets_live_keys(changed: dict[str, object], expected: set[str]) -> None:
    with override_settings(**{"STRIPE_LIVE_SECRET_KEY": "", "STRIPE_TEST_SECRET_KEY": "", **changed}):
        assert ids() == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("site", "expected"),
    [("embedded", set()), ("sandbox", {"countinghouse.E012"}), ("live", {"countinghouse.E012"})],
)
def test_the_second_factor_is_waived_on_an_embedded_site_only(site: str, expected: set[str]) -> None:
    with override_settings(ENVIRONMENT=site, SECOND_FACTOR_WAIVED=True):
        assert ids() == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("crashlab", "site", "expected"),
    [
        ("", "embedded", {"countinghouse.E003"}),
        ("1", "embedded", set()),
        ("1", "live", {"countinghouse.E003"}),
    ],
)
def test_failpoints_are_for_crash_tests(
    monkeypatch: pytest.MonkeyPatch, crashlab: str, site: str, expected: set[str]
) -> None:
    monkeypatch.setenv("BILLING_FAILPOINTS", "tick.after_entries")
    monkeypatch.setenv("CRASHLAB", crashlab)
    with override_settings(ENVIRONMENT=site):
        assert ids() == expected


@pytest.mark.django_db
@override_settings(SILENCED_SYSTEM_CHECKS=["countinghouse.E003"])
def test_a_silenced_fault_still_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING_FAILPOINTS", "x")
    assert ids() == {"countinghouse.E003"}


@pytest.mark.django_db
def test_the_checks_stay_out_of_ordinary_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING_FAILPOINTS", "x")
    ordinary = run_checks(databases=["default"])
    assert not [message for message in ordinary if str(message.id).startswith("countinghouse.")]
    deployment = run_checks(include_deployment_checks=True)
    assert "countinghouse.E003" in {message.id for message in deployment}


def test_a_sound_site_starts(process_environment: dict[str, str]) -> None:
    process_environment.pop("DATABASE_OWNER_URL")
    for door in ("billing_site.wsgi", "billing_site.asgi"):
        started = start(process_environment, "-c", f"import {door}")
        assert started.returncode == 0, started.stderr


def test_gunicorn_refuses_and_lists_every_fault(process_environment: dict[str, str]) -> None:
    as_owner_run("DROP TRIGGER entries_are_whole ON ledger_entries")
    wrong = {
        **process_environment,
        "DEBUG": "1",
        "STRIPE_LIVE_SECRET_KEY": "sk_live_x",
        "BILLING_FAILPOINTS": "x",
    }
    started = start(wrong, "-m", "gunicorn", "--check-config", "billing_site.wsgi")
    assert started.returncode != 0
    assert "Countinghouse does not start:" in started.stderr
    for line in (
        "countinghouse.E001: DEBUG is on where live keys are.",
        "countinghouse.E003: BILLING_FAILPOINTS is set outside a crash test.",
        "countinghouse.E007: trigger entries_are_whole is missing on ledger_entries.",
    ):
        assert line in started.stderr
    assert "sk_live_x" not in started.stderr


def test_a_worker_refuses_and_says_why(process_environment: dict[str, str]) -> None:
    as_owner_run("DROP TRIGGER usage_moves_the_cursor ON usage_records")
    started = start(process_environment, "-m", "celery", "--app", "billing_site.celery", "worker", "--pool=solo")
    assert started.returncode == 1
    assert "trigger usage_moves_the_cursor is missing on usage_records" in started.stderr


def test_serve_refuses_before_it_starts_anything(process_environment: dict[str, str]) -> None:
    wrong = {**process_environment, "DEBUG": "1", "STRIPE_LIVE_SECRET_KEY": "sk_live_x"}
    started = start(wrong, "manage.py", "serve", "--port", "18473", "--metrics-port", "18474")
    assert started.returncode == 1
    assert "countinghouse.E001: DEBUG is on where live keys are." in started.stderr
    assert started.stdout == ""


def test_what_repairs_a_fault_still_runs(process_environment: dict[str, str]) -> None:
    as_owner_run(f"REVOKE INSERT ON ledger_entries FROM {application_role()}")
    assert ids() == {"countinghouse.E008"}
    assert start(process_environment, "manage.py", "check").returncode == 0
    assert start(process_environment, "manage.py", "check", "--deploy", "--tag", "boot").returncode == 1
    assert start(process_environment, "manage.py", "migrate", "--verbosity", "0").returncode == 0
    assert ids() == set()


def test_an_empty_database_is_one_fault(empty_database: dict[str, str]) -> None:
    started = start(empty_database, "-c", "import billing_site.wsgi")
    assert started.returncode != 0
    assert started.stderr.count("countinghouse.E") == 1
    assert "countinghouse.E013: The database has no tables yet. Run manage.py migrate." in started.stderr


def test_a_trigger_that_is_switched_off_is_to_be_switched_on(committed_db: str) -> None:
    as_owner_run("ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_rows_never_change")
    (fault,) = boot_checks.faults()
    assert "ENABLE TRIGGER" in str(fault.hint)


def test_an_unreachable_database_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    nowhere = f"postgresql://countinghouse_app:hunter2@/books?host={tmp_path}"
    started = start({**os.environ, "DATABASE_URL": nowhere}, "-c", "import billing_site.wsgi")
    assert started.returncode != 0
    assert "countinghouse.E004: The database does not answer" in started.stderr
    assert "hunter2" not in started.stderr
