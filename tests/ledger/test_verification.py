"""verify_books finds what is planted behind the triggers' back, names the row, and misses nothing at its watermark."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from accounts.locking import lock_account
from billing_site.roles import as_owner
from ledger import accrual, daily_totals
from ledger.models import VerificationRun
from ledger.top_ups import post_top_up
from ledger.verification import LISTED_PER_RULE, RULES, verify
from quotas.allocations import start
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import execute, fetch

CHECKOUT = Path(__file__).resolve().parents[2]
MINUTE = timedelta(minutes=1)
LATER = NOON + timedelta(hours=1)
TABLES = (
    *("ledger_transactions", "ledger_entries", "usage_records", "accrual_cursors"),
    *("balance_states", "low_balance_events", "depletions"),
)


@dataclass(frozen=True)
class Fault:
    """SQL that spoils one row, SQL that mends it, and SQL that says which row the rule must name."""

    plant: str
    mend: str
    row: str


USAGE_TX = "SELECT max(id) FROM ledger_transactions WHERE kind = 'usage'"
DEBIT = "SELECT max(id) FROM ledger_entries WHERE account_seq IS NOT NULL AND reason = 'usage'"
CREDIT = "SELECT max(id) FROM ledger_entries WHERE account_seq IS NULL AND reason = 'usage'"
USED = "SELECT id FROM usage_records ORDER BY allocation_id, interval_start OFFSET 2 LIMIT 1"
RUNNING = "SELECT min(allocation_id) FROM accrual_cursors"
BELOW_ZERO = (
    "SELECT e.id FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.ledger_account_id"
    " WHERE a.kind = 'wallet' AND e.balance_after < 0 ORDER BY e.id DESC LIMIT 1"
)
DEPLETED = "SELECT max(billing_account_id) FROM depletions"


def change(table: str, which: str, assignment: str, back: str, row: str | None = None, key: str = "id") -> Fault:
    where = f"WHERE {key} = ({which})"
    return Fault(f"UPDATE {table} SET {assignment} {where}", f"UPDATE {table} SET {back} {where}", row or which)


FAULTS = {
    "transaction_sums_to_zero": change(
        *("ledger_entries", CREDIT, "amount_minor = amount_minor + 1", "amount_minor = amount_minor - 1"),
        f"SELECT transaction_id FROM ledger_entries WHERE id = ({CREDIT})",
    ),
    "transaction_has_entries": Fault(
        "INSERT INTO ledger_transactions (business_key, kind, correlation_id, actor, effective_at)"
        " VALUES ('planted', 'adjustment', 'test', 'system:test', now())",
        "DELETE FROM ledger_transactions WHERE business_key = 'planted'",
        "SELECT id FROM ledger_transactions WHERE business_key = 'planted'",
    ),
    "chain_is_unbroken": change(
        "ledger_entries", DEBIT, "balance_after = balance_after + 1", "balance_after = balance_after - 1"
    ),
    "entry_fits_its_account": change(
        *(
            "ledger_entries",
            DEBIT,
            "billing_account_id = -billing_account_id",
            "billing_account_id = -billing_account_id",
        )
    ),
    "debit_has_its_usage": change(
        "ledger_entries", DEBIT, "reference_id = reference_id + 1000", "reference_id = reference_id - 1000"
    ),
    "trial_balance_is_zero": Fault(
        "INSERT INTO daily_totals (legal_entity_id, day, kind, currency, sum_minor, entry_count)"
        " SELECT id, '2026-01-01', 'bank', 'USD', 7, 1 FROM legal_entities LIMIT 1",
        "DELETE FROM daily_totals WHERE day = '2026-01-01'",
        "SELECT 'USD'",
    ),
    "usage_has_its_debit": change("usage_records", USED, "cost_minor = cost_minor + 1", "cost_minor = cost_minor - 1"),
    "windows_meet": change(
        *("usage_records", USED, "interval_start = interval_start + interval '1 second'"),
        "interval_start = interval_start - interval '1 second'",
    ),
    "cursor_stands_at_the_last_window": change(
        *("accrual_cursors", RUNNING, "accrued_to = accrued_to - interval '1 minute'"),
        "accrued_to = accrued_to + interval '1 minute'",
        key="allocation_id",
    ),
    "usage_is_rated_by_the_rule": change("usage_records", USED, "quantity = quantity * 2", "quantity = quantity / 2"),
    "daily_totals_equal_the_entries": Fault(
        "UPDATE daily_totals SET entry_count = entry_count + 1 WHERE kind = 'usage_revenue'",
        "UPDATE daily_totals SET entry_count = entry_count - 1 WHERE kind = 'usage_revenue'",
        "SELECT day::text FROM daily_totals WHERE kind = 'usage_revenue' LIMIT 1",
    ),
    "balance_state_follows_the_balance": change(
        "balance_states", DEPLETED, "state = 'low_balance'", "state = 'depleted'", key="billing_account_id"
    ),
    "healthy_balance_is_above_its_bound": Fault(
        f"UPDATE balance_states SET state = 'healthy', healthy_above_minor = 9 WHERE billing_account_id = ({DEPLETED})",
        "UPDATE balance_states SET state = 'depleted', healthy_above_minor = NULL"
        f" WHERE billing_account_id = ({DEPLETED})",
        DEPLETED,
    ),
    "balance_state_has_its_rows": change(
        "depletions", DEPLETED, "closed_at = now()", "closed_at = NULL", DEPLETED, key="billing_account_id"
    ),
    "burn_is_what_runs": change(
        *("balance_states", DEPLETED, "burn_minor_per_hour = burn_minor_per_hour + 1"),
        "burn_minor_per_hour = burn_minor_per_hour - 1",
        key="billing_account_id",
    ),
    "only_tails_are_waived": change(
        *("depletions", "SELECT max(id) FROM depletions", "tail_from = depleted_at, tail_until = requested_at"),
        "tail_from = NULL, tail_until = NULL",
        "SELECT max(id) FROM usage_records WHERE interval_start >= (SELECT max(depleted_at) FROM depletions)",
    ),
    "wallet_falls_below_zero_only_by_usage": Fault(
        f"UPDATE ledger_transactions SET kind = 'adjustment' WHERE id = ({USAGE_TX})",
        "UPDATE ledger_transactions SET kind = 'usage' WHERE kind = 'adjustment'",
        BELOW_ZERO,
    ),
}


@contextmanager
def behind_the_triggers() -> Iterator[None]:
    """As the owner, with every guard of ours asleep."""
    with as_owner():
        for table in TABLES:
            execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            for table in TABLES:
                execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def books(committed_db: str, cast: Cast) -> Cast:
    """A wallet of 10 cents that usage took below zero, and totals that are folded."""
    with transaction.atomic():
        account = lock_account(cast.prepaid.pk)
        post_top_up(account, amount_minor=10, tax_minor=0, provider="manual", session_id=1, actor=ACTOR, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 5 * MINUTE)
    daily_totals.fold()
    return cast


def found(full: bool = True) -> list[tuple[str, str]]:
    return [(one["rule"], one["row"]) for one in verify(LATER, full=full).violations]


def test_every_rule_has_its_planted_fault() -> None:
    assert set(FAULTS) == {rule.name for rule in RULES}


def test_each_rule_finds_the_row_that_was_spoiled_for_it(books: Cast) -> None:
    assert found() == []
    for name, fault in FAULTS.items():
        with behind_the_triggers():
            execute(fault.plant)
            ((row,),) = fetch(fault.row)
        assert (name, str(row)) in found(), name
        with behind_the_triggers():
            execute(fault.mend)
        assert found() == [], name


def test_the_guards_are_awake_again_after_a_fault_was_planted(books: Cast) -> None:
    """Else the plants above would say nothing about a site with its triggers."""
    with behind_the_triggers():
        pass
    asleep = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'"
    assert fetch(asleep) == [(0,)]


def proved_past_the_newest() -> VerificationRun:
    """Prove the books until the watermark has passed all that is there.

    The server counts transactions over all its databases: one that is open in another database holds it back.
    """
    ((newest,),) = fetch("SELECT max(born::text::bigint) FROM ledger_transactions")
    until = time.monotonic() + 600  # a test beside this one may hold a long transaction
    while (run := verify(LATER)).watermark <= newest:
        assert time.monotonic() < until
        time.sleep(0.2)
    return run


def test_a_clean_run_moves_the_watermark_and_a_dirty_one_does_not(books: Cast) -> None:
    first = proved_past_the_newest()
    accrual.drain(NOON + 6 * MINUTE)
    second = proved_past_the_newest()
    assert second.watermark > first.watermark
    plant = FAULTS["chain_is_unbroken"]
    accrual.drain(NOON + 7 * MINUTE)
    with behind_the_triggers():
        execute(plant.plant)
    dirty, again = verify(LATER), verify(LATER)
    assert (dirty.violation_count, dirty.watermark) == (1, second.watermark)
    assert (again.violations, again.watermark) == (dirty.violations, second.watermark)
    with behind_the_triggers():
        execute(plant.mend)
    assert proved_past_the_newest().watermark > second.watermark


def test_an_incremental_run_looks_at_what_is_new_and_a_full_one_at_everything(books: Cast) -> None:
    old = fetch(DEBIT)[0][0]
    proved_past_the_newest()
    accrual.drain(NOON + 6 * MINUTE)
    with behind_the_triggers():
        execute(f"UPDATE ledger_entries SET billing_account_id = -1 WHERE id = {old}")
    assert found(full=False) == []
    assert ("entry_fits_its_account", str(old)) in found()


def test_a_transaction_that_was_open_while_the_books_were_proved_is_looked_at_later(
    books: Cast, process_environment: dict[str, str]
) -> None:
    plant = FAULTS["transaction_has_entries"]
    with behind_the_triggers(), psycopg.connect(process_environment["DATABASE_OWNER_URL"]) as slow:
        slow.execute(plant.plant)
        accrual.drain(NOON + 6 * MINUTE)
        assert found(full=False) == []
        accrual.drain(NOON + 7 * MINUTE)
        slow.commit()
    row = str(fetch(plant.row)[0][0])
    assert ("transaction_has_entries", row) in found(full=False)


def test_a_run_is_kept_with_what_it_found(books: Cast) -> None:
    with behind_the_triggers():
        execute(FAULTS["windows_meet"].plant)
    run = verify(LATER, full=True)
    kept = VerificationRun.objects.get(pk=run.pk)
    assert (kept.started_at, kept.full, kept.violations) == (LATER, True, run.violations)
    assert kept.violation_count == len(run.violations)


def test_violations_are_counted_in_full_and_listed_up_to_a_limit(books: Cast) -> None:
    many = LISTED_PER_RULE + 50
    with behind_the_triggers():
        execute(
            "INSERT INTO ledger_transactions (business_key, kind, correlation_id, actor, effective_at)"
            " SELECT 'planted' || n, 'adjustment', 'test', 'system:test', now() FROM generate_series(1, %s) n",
            [many],
        )
    run = verify(LATER)
    assert (run.violation_count, len(run.violations)) == (many, LISTED_PER_RULE)


def test_proving_is_refused_inside_a_transaction(books: Cast) -> None:
    """Its snapshot would be another's."""
    with pytest.raises(RuntimeError), transaction.atomic():
        verify(LATER)


def run_command(environment: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", "verify_books", *options]
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_at_the_prompt_clean_books_are_exit_code_0_and_others_1(
    books: Cast, process_environment: dict[str, str]
) -> None:
    clean = run_command(process_environment, "--full")
    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout.rstrip().endswith("The books are clean.")
    assert clean.stdout.count("✓") == len(RULES)
    with behind_the_triggers():
        execute(FAULTS["chain_is_unbroken"].plant)
    row = fetch(DEBIT)[0][0]
    dirty = run_command(process_environment, "--full")
    assert dirty.returncode == 1
    assert f"chain_is_unbroken: row {row}: " in dirty.stdout
    assert "✗ each customer entry continues the sequence" in dirty.stdout


def as_json(*options: str) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    code = 0
    try:
        call_command("verify_books", "--json", *options, stdout=out)
    except SystemExit as left:
        code = int(left.code or 0)
    return code, json.loads(out.getvalue())


def test_for_machines_there_is_one_json_object(books: Cast) -> None:
    code, clean = as_json("--full")
    assert (code, clean["clean"], clean["full"], clean["violations"], clean["listed"]) == (0, True, True, 0, [])
    with behind_the_triggers():
        execute(FAULTS["usage_is_rated_by_the_rule"].plant)
        ((row,),) = fetch(USED)
    assert as_json()[0] == 0  # an incremental run does not read usage again
    code, dirty = as_json("--full")
    assert (code, dirty["clean"], dirty["violations"]) == (1, False, 1)
    assert dirty["listed"][0]["rule"] == "usage_is_rated_by_the_rule"
    assert dirty["listed"][0]["row"] == str(row)
    assert connection.in_atomic_block is False
