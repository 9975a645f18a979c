"""Seeds 004 and 900 from outside: what the tick bills, once, to the cent; the proof of the books; parked accounts."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts import policy
from ledger import accrual
from ledger.balances import balance
from ledger.models import AccrualSchedule
from ledger.top_ups import post_top_up
from quotas.allocations import complete_release, request_release, start
from quotas.price_book import open_sku, set_rate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.concurrency.racing import failures, race
from tests.ledger.raw_sql import execute, fetch

CHECKOUT = Path(__file__).resolve().parents[2]
MINUTE = timedelta(minutes=1)

WINDOWS = (
    "SELECT allocation_id, interval_start, interval_end, cost_minor FROM usage_records ORDER BY allocation_id,"
    " interval_start"
)
DEBITS = "SELECT amount_minor FROM ledger_entries WHERE account_seq IS NOT NULL AND reason = 'usage' ORDER BY id"
TWICE = "SELECT allocation_id, interval_start FROM usage_records GROUP BY 1, 2 HAVING count(*) > 1"
UNDEBITED = (
    "SELECT u.id FROM usage_records u LEFT JOIN ledger_entries e ON e.ledger_account_id = u.ledger_account_id"
    " AND e.account_seq = u.account_seq AND e.amount_minor = -u.cost_minor WHERE u.cost_minor <> 0 AND e.id IS NULL"
)


def set_width(seconds: int) -> None:
    policy.set_value(
        "billing.window_seconds", seconds, scope="global", scope_id=None, actor=ACTOR, reason="test", at=NOON
    )


def verify_books(environment: dict[str, str]) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "manage.py", "verify_books", "--full", "--json"],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, report


def test_004_05_billing_loop_accrues_cost_over_time(cast: Cast) -> None:
    """AT-040."""
    start(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=NOON)
    held = []
    for ring in (1, 2, 3):
        accrual.drain(NOON + ring * MINUTE)
        held.append(balance(cast.prepaid).amount_minor)
    assert held == [-8, -17, -25]  # 5.00 an hour is 8.33 a minute; the sum is never a cent off
    assert fetch(DEBITS) == [(-8,), (-9,), (-8,)]
    assert [row[3] for row in fetch(WINDOWS)] == [8, 9, 8]


def test_004_06_no_window_is_billed_twice_by_a_rerun(cast: Cast) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 5 * MINUTE)
    before = fetch(WINDOWS), fetch(DEBITS)
    for _ in range(3):
        execute("UPDATE accrual_schedules SET due_at = %s", [NOON])  # a hint that is lost or wrong changes nothing
        assert accrual.drain(NOON + 5 * MINUTE).windows == 0
    assert (fetch(WINDOWS), fetch(DEBITS)) == before


@pytest.mark.usefixtures("tails_are_billed")
def test_004_06_no_window_is_billed_twice_by_workers_side_by_side(committed_db: str, cast: Cast) -> None:
    for project in (cast.project, cast.postpaid_project):
        for quantity in ("1", "0.5"):
            start(project, cast.gpu, quantity=quantity, actor=ACTOR, at=NOON)
    at = NOON + 30 * MINUTE
    drained = race(*[lambda: accrual.drain(at, batch_accounts=1, maximum_windows=10)] * 4)
    assert failures(drained) == []
    accrual.drain(at)
    assert len(fetch(WINDOWS)) == 4 * 30
    assert fetch(TWICE) == []
    assert balance(cast.prepaid).amount_minor == balance(cast.postpaid).amount_minor == -188  # 125 + 62.5, half up


def test_004_07_catch_up_after_an_outage_bills_every_window_once_oldest_first(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 2 * MINUTE)
    tally = accrual.drain(NOON + 182 * MINUTE, maximum_windows=50)
    assert tally.windows == 180
    expected = [(allocation.pk, NOON + n * MINUTE, NOON + (n + 1) * MINUTE) for n in range(182)]
    assert [row[:3] for row in fetch(WINDOWS)] == expected
    ends = fetch("SELECT interval_end FROM usage_records WHERE account_seq IS NOT NULL ORDER BY account_seq")
    assert ends == sorted(ends)
    assert balance(cast.prepaid).amount_minor == -758  # 182 minutes of 2.50 an hour: 7.58


@pytest.mark.usefixtures("tails_are_billed")
def test_004_08_cost_is_rate_times_duration_times_gpus_rounded_once(cast: Cast) -> None:
    """The rounding telescopes: whatever the window, an hour costs what an hour costs."""
    half = open_sku("half", "Half a dollar", "GPU", at=BEGINNING)
    set_rate(half, currency="USD", rate_per_unit_hour="0.50", effective_from=BEGINNING, actor=ACTOR, at=BEGINNING)
    start(cast.project, half, quantity="1", actor=ACTOR, at=NOON)
    start(cast.postpaid_project, cast.gpu, quantity="8", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 60 * MINUTE)
    assert balance(cast.prepaid).amount_minor == -50
    assert balance(cast.postpaid).amount_minor == -2000
    set_width(7)
    accrual.drain(NOON + 120 * MINUTE + timedelta(seconds=7))
    free = fetch("SELECT count(*) FROM usage_records WHERE cost_minor = 0 AND account_seq IS NULL")
    assert free[0][0] > 100  # seven seconds of half a dollar an hour are mostly nothing, and are written all the same
    paid_until = fetch("SELECT max(interval_end) FROM usage_records")[0][0]
    hours = (paid_until - NOON) / timedelta(hours=1)
    assert balance(cast.prepaid).amount_minor == -int(50 * hours + 0.5)
    assert fetch(UNDEBITED) == []


@pytest.mark.usefixtures("tails_are_billed")
@pytest.mark.parametrize(("seconds", "cost_minor"), [(0, 0), (1, 0), (7, 0), (8, 1), (21, 1), (22, 2), (90 * 60, 375)])
def test_004_13_accrual_stops_at_releasing_completed(cast: Cast, seconds: int, cost_minor: int) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    request_release(allocation.pk, actor=ACTOR, at=NOON)
    gone = NOON + timedelta(seconds=seconds)
    complete_release(allocation.pk, completed_at=gone, actor=ACTOR, at=gone)
    for later in (10, 100, 1000):
        accrual.drain(gone + later * MINUTE)
    windows = fetch(WINDOWS)
    assert balance(cast.prepaid).amount_minor == -cost_minor  # 2.50 an hour: a cent every 14.4 seconds, half up
    assert windows[-1][2] == gone if seconds else windows == []


@pytest.mark.usefixtures("tails_are_billed")
def test_004_13_a_releasing_allocation_is_charged_until_its_machine_is_gone(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    request_release(allocation.pk, actor=ACTOR, at=NOON + 10 * MINUTE)
    accrual.drain(NOON + 24 * MINUTE)
    assert balance(cast.prepaid).amount_minor == -100


def test_900_01_books_that_balance_are_proved_and_a_planted_error_is_found(
    cast: Cast, process_environment: dict[str, str]
) -> None:
    """Double entry; each planted fault and the rule that finds it: tests/ledger/test_verification.py."""
    post_top_up(cast.prepaid, amount_minor=5000, tax_minor=0, provider="manual", session_id=1, actor=ACTOR, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 5 * MINUTE)
    per_currency = "SELECT currency, sum(amount_minor)::bigint FROM ledger_entries GROUP BY 1"
    assert fetch(per_currency) == [("USD", 0)]
    code, report = verify_books(process_environment)
    assert (code, report["clean"], report["violations"]) == (0, True, 0)
    execute(
        "INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)"
        " VALUES (%s, %s, 'bank', 'USD', 1, 1)",
        [cast.entity.pk, NOON.date()],
    )
    code, report = verify_books(process_environment)
    assert (code, report["clean"]) == (1, False)
    assert ("trial_balance_is_zero", "USD") in [(one["rule"], one["row"]) for one in report["listed"]]


def test_900_07_an_account_at_fault_is_parked_with_its_reason_and_the_rest_go_on(cast: Cast) -> None:
    dear = open_sku("dear", "Dear", "GPU", at=BEGINNING)
    set_rate(dear, currency="USD", rate_per_unit_hour="9999999999", effective_from=BEGINNING, actor=ACTOR, at=NOON)
    start(cast.project, dear, quantity="999999999999", actor=ACTOR, at=NOON)
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 12 * MINUTE)
    assert balance(cast.postpaid).amount_minor == -50
    parked = AccrualSchedule.objects.get(parked_at__isnull=False)
    assert parked.billing_account == cast.prepaid
    assert parked.park_reason
    assert parked.retry_at == NOON + 13 * MINUTE
    accrual.drain(NOON + 13 * MINUTE)
    parked.refresh_from_db()
    assert parked.failures == 2
    assert balance(cast.postpaid).amount_minor == -54
