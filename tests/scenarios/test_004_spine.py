"""Seed 004 from outside: plain SQL as the application role, and the acts of staff. One story for each row."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import RequestFactory

from accounts.approvals import decide, submit
from accounts.audit import person, system
from accounts.errors import ApprovalRequired, DomainError, MakerIsChecker
from accounts.models import User
from accounts.policy import set_value
from billing_site.database_rules import NEVER_CHANGED
from ledger import accrual, adjustments, corrections
from ledger.balances import balance
from ledger.top_ups import post_top_up
from payments import bank_transfers
from quotas.allocations import complete_release, request_release, start
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, successes
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, fetch, refused_by

MINUTE = timedelta(minutes=1)
SUM_BY_USER = "SELECT user_id, currency, sum(amount_minor)::bigint FROM customer_ledger_entries GROUP BY 1, 2"


def pay_in(cast: Cast, amount_minor: int = 5000, session: int = 1) -> int:
    posted = post_top_up(
        cast.prepaid, amount_minor=amount_minor, provider="manual", session_id=session, actor=ACTOR, at=NOON
    )
    return posted.transaction_id


def adjust(cast: Cast, amount_minor: int, reason: str = "goodwill") -> dict[str, Any]:
    proposal = adjustments.payload(cast.prepaid, amount_minor, "USD")
    return adjustments.adjust(proposal, actor=person(cast.dana), reason=reason, at=NOON)


def test_004_01_ledger_insert_only(cast: Cast) -> None:
    pay_in(cast)
    before = fetch("SELECT * FROM ledger_entries ORDER BY id")
    for table in ("ledger_entries", "ledger_transactions", "ledger_accounts"):
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with refused_by(NO_PRIVILEGE):
                execute(statement)
    assert fetch("SELECT * FROM ledger_entries ORDER BY id") == before


def test_004_01_the_back_office_has_no_edit_either(cast: Cast) -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("root@countinghouse.example")
    shown = {model._meta.db_table: page for model, page in admin.site._registry.items()}
    assert {"ledger_entries", "audit_logs"} <= set(shown)
    for table in set(NEVER_CHANGED) & set(shown):
        page = shown[table]
        allowed = [page.has_add_permission(request), page.has_change_permission(request)]
        assert [*allowed, page.has_delete_permission(request)] == [False] * 3, table


def test_004_02_balance_is_the_sum_of_the_entries(cast: Cast) -> None:
    columns = fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name LIKE '%%balance%%' AND table_name NOT LIKE 'djstripe%%'"
    )
    assert sorted(columns) == [
        ("audit_logs", "new_balance"),
        ("audit_logs", "old_balance"),
        ("balance_transitions", "balance_minor"),  # where a balance stood at a moment; the rows never change
        ("depletions", "balance_minor"),
        ("ledger_entries", "balance_after"),
        ("low_balance_events", "balance_minor"),
    ]
    pay_in(cast)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    for minute in range(1, 4):
        accrual.drain(NOON + minute * MINUTE)
        adjust(cast, -7)
        ((total,),) = fetch(
            "SELECT sum(e.amount_minor) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.ledger_account_id"
            " WHERE a.kind = 'wallet' AND a.billing_account_id = %s",
            [cast.prepaid.pk],
        )
        assert balance(cast.prepaid).amount_minor == total


def test_004_03_whole_minor_units_with_their_currency_on_each_row(cast: Cast) -> None:
    shape = fetch(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = 'ledger_entries'"
        " AND column_name IN ('amount_minor', 'balance_after', 'currency')"
    )
    assert sorted(shape) == [
        ("amount_minor", "bigint", "NO"),
        ("balance_after", "bigint", "YES"),
        ("currency", "character varying", "NO"),
    ]
    transaction_id = pay_in(cast)
    for amount_minor in (1.5, "1.50", "5e2", float("nan")):
        with pytest.raises(DomainError):
            adjustments.payload(cast.prepaid, amount_minor, "USD")
    rows = fetch("SELECT amount_minor, currency FROM ledger_entries WHERE transaction_id = %s", [transaction_id])
    assert sorted(rows) == [(-5000, "USD"), (5000, "USD")]


def test_004_04_correction_rows_name_what_they_correct(cast: Cast) -> None:
    original = pay_in(cast)
    result = corrections.correct(
        {"transaction": original}, actor=person(cast.dana), reason="booked twice", at=NOON + MINUTE
    )
    pairs = fetch(
        "SELECT o.transaction_id, o.amount_minor + c.amount_minor, o.ledger_account_id = c.ledger_account_id"
        " FROM ledger_entries c JOIN ledger_entries o ON o.id = (c.metadata ->> 'corrects_entry_id')::bigint"
        " WHERE c.transaction_id = %s",
        [result["transaction"]],
    )
    assert pairs == [(original, 0, True)] * 2
    assert balance(cast.prepaid).amount_minor == 0


def test_004_13_accrual_stops_at_releasing_completed(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="60", actor=ACTOR, at=NOON)
    request_release(allocation.pk, actor=ACTOR, at=NOON + MINUTE)
    gone = NOON + 2 * MINUTE + timedelta(seconds=24)
    complete_release(allocation.pk, completed_at=gone, actor=ACTOR, at=gone)
    for minute in (1, 2, 3, 60, 24 * 60):
        accrual.drain(NOON + minute * MINUTE)
    ((windows, last, total),) = fetch("SELECT count(*), max(interval_end), sum(cost_minor) FROM usage_records")
    assert (windows, last) == (3, gone)
    assert total == 600  # 2.4 minutes at 2.50 a minute
    assert balance(cast.prepaid).amount_minor == -600


def test_004_26_audit_names_actor_reason_and_both_balances(cast: Cast) -> None:
    proposal = bank_transfers.payload(
        cast.prepaid, amount_minor=900, currency="USD", value_date=NOON.date(), reference="REF 1"
    )
    bank_transfers.record_transfer(proposal, actor=person(cast.dana), reason="arrived today", at=NOON)
    result = adjust(cast, -250, "credited too much")
    corrections.correct({"transaction": result["transaction"]}, actor=person(cast.dana), reason="it was right", at=NOON)
    rows = fetch(
        "SELECT action, actor_id, reason, old_balance, new_balance FROM audit_logs"
        " WHERE new_balance IS NOT NULL ORDER BY id"
    )
    assert rows == [
        ("payments.record_transfer", cast.dana.pk, "arrived today", 0, 900),
        ("ledger.adjust", cast.dana.pk, "credited too much", 900, 650),
        ("ledger.correct", cast.dana.pk, "it was right", 650, 900),
    ]
    for statement in ("UPDATE audit_logs SET reason = ''", "DELETE FROM audit_logs"):
        with refused_by(NO_PRIVILEGE):
            execute(statement)


def test_004_28_a_policy_change_is_in_force_without_a_restart(cast: Cast) -> None:
    def set_window(seconds: int, at: Any) -> None:
        set_value(
            "billing.window_seconds",
            seconds,
            scope="tenant",
            scope_id=cast.acme.pk,
            actor=system("test"),
            reason="another rhythm",
            at=at,
        )

    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert accrual.drain(NOON + 2 * MINUTE).windows == 2
    set_window(30, NOON + 2 * MINUTE)
    assert accrual.drain(NOON + 4 * MINUTE).windows == 4
    set_window(3600, NOON + 4 * MINUTE)
    assert accrual.drain(NOON + 59 * MINUTE).windows == 0
    assert accrual.drain(NOON + 60 * MINUTE).windows == 1
    assert balance(cast.prepaid).amount_minor == -250


def test_004_33_the_view_sums_to_the_balance_by_user_and_currency(cast: Cast) -> None:
    columns = fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'customer_ledger_entries'"
        " ORDER BY ordinal_position"
    )
    seed = {"id", "user_id", "amount_minor", "currency", "reason", "reference_type", "reference_id"}
    assert {name for (name,) in columns} == seed | {"correlation_id", "metadata", "created_at"}
    pay_in(cast)
    for project in (cast.project, cast.postpaid_project):
        start(project, cast.gpu, quantity="60", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 3 * MINUTE)
    adjust(cast, 40)
    owned = balance(cast.prepaid).amount_minor + balance(cast.postpaid).amount_minor
    assert owned == 5000 - 2 * 750 + 40
    assert fetch(SUM_BY_USER) == [(cast.alice.pk, "USD", owned)]
    reasons = {reason for (reason,) in fetch("SELECT DISTINCT reason FROM customer_ledger_entries")}
    assert reasons == {"usage", "topup", "adjustment"}


def test_900_03_the_act_itself_asks_for_a_second_person(cast: Cast) -> None:
    root = User.objects.create_superuser("root@countinghouse.example")
    proposal = adjustments.payload(cast.prepaid, 10_001, "USD")
    for actor in (person(cast.dana), person(root), system("cron")):
        with pytest.raises(ApprovalRequired):
            adjustments.adjust(proposal, actor=actor, reason="goodwill", at=NOON)
    request = submit(adjustments.ACT, proposal, maker=root, reason="goodwill", at=NOON).request
    assert request is not None
    with pytest.raises(MakerIsChecker):
        decide(request.pk, checker=root, approve=True, note="myself", at=NOON)
    with refused_by("approval_maker_is_not_checker"):
        execute("UPDATE approval_requests SET state = 'approved', checker_id = maker_id, decided_at = now()")
    assert balance(cast.prepaid).amount_minor == 0
    decide(request.pk, checker=cast.erin, approve=True, note="agreed", at=NOON)
    assert balance(cast.prepaid).amount_minor == 10_001


def test_900_03_two_racing_approvals_have_one_effect(committed_db: str, cast: Cast) -> None:
    proposal = adjustments.payload(cast.prepaid, 10_001, "USD")
    request = submit(adjustments.ACT, proposal, maker=cast.dana, reason="goodwill", at=NOON).request
    assert request is not None
    root = User.objects.create_superuser("root@countinghouse.example")

    def approve(checker: User) -> Any:
        return decide(request.pk, checker=checker, approve=True, note="agreed", at=NOON)

    results = race(*[lambda checker=checker: approve(checker) for checker in (cast.erin, root) * 2])
    assert len(successes(results)) == 1
    assert {getattr(error, "code", "") for error in failures(results)} == {"approval_refused"}
    assert fetch("SELECT count(*) FROM ledger_transactions") == [(1,)]
    assert balance(cast.prepaid).amount_minor == 10_001
