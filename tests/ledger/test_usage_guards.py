"""What the database itself refuses to usage, its cursors and its months, by plain SQL."""

from datetime import date, timedelta

import psycopg
import pytest
from django.db import connection

from accounts.models import BillingAccount
from billing_site.grants import granted, tables
from billing_site.roles import as_owner
from ledger.chart import open_ledger_account
from ledger.models import AccrualCursor
from ledger.months import ensure_month
from quotas.allocations import complete_release, request, start
from quotas.models import Allocation
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import NO_PARTITION, NO_PRIVILEGE, Usage, execute, fetch, insert_usage, refused_by

MINUTE = timedelta(minutes=1)
ALREADY_THERE = "23505"  # the name of a partition's copy of usage_window_once is PostgreSQL's own


class Meter:
    """A running allocation, and plain SQL that writes its usage."""

    def __init__(self, cast: Cast) -> None:
        self.account: BillingAccount = cast.prepaid
        self.allocation: Allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
        self.rate = cast.gpu.rates.get().pk
        wallet = open_ledger_account(cast.entity, "wallet", "USD", account_id=cast.prepaid.pk)
        self.wallet = wallet.pk

    def window(self, first: float, last: float, cost_minor: int = 0, seq: int | None = None) -> Usage:
        """A window by its minutes after the start."""
        return Usage(self.allocation.pk, NOON + first * MINUTE, NOON + last * MINUTE, cost_minor, seq)

    def write(self, *records: Usage) -> None:
        insert_usage(self.account.pk, self.rate, self.wallet, *records)

    @property
    def billed_minutes(self) -> float:
        return (AccrualCursor.objects.get(pk=self.allocation.pk).accrued_to - NOON) / MINUTE


@pytest.fixture
def meter(cast: Cast) -> Meter:
    return Meter(cast)


def test_windows_that_meet_are_taken_and_move_the_cursor(meter: Meter) -> None:
    meter.write(meter.window(0, 1), meter.window(1, 2))
    meter.write(meter.window(2, 2.5))
    assert meter.billed_minutes == 2.5


@pytest.mark.parametrize(
    ("first", "last"), [(1.5, 2), (0.5, 2), (-1, 0), (2, 3)], ids=["gap", "overlap", "before the start", "later"]
)
def test_a_window_that_does_not_begin_where_the_last_one_ended_is_refused(
    meter: Meter, first: float, last: float
) -> None:
    meter.write(meter.window(0, 1))
    with refused_by("usage_windows_meet"):
        meter.write(meter.window(first, last))
    assert meter.billed_minutes == 1


def test_the_first_window_begins_at_the_start(meter: Meter) -> None:
    with refused_by("usage_windows_meet"):
        meter.write(meter.window(1, 2))


def test_a_gap_or_an_overlap_inside_one_statement_is_refused(meter: Meter) -> None:
    for second in (meter.window(2, 3), meter.window(0.5, 2)):
        with refused_by("usage_windows_meet"):
            meter.write(meter.window(0, 1), second)


def test_one_wrong_allocation_refuses_the_whole_statement(meter: Meter) -> None:
    stranger = Usage(10**12, NOON, NOON + MINUTE)
    with refused_by("usage_windows_meet"):
        meter.write(meter.window(0, 1), stranger)
    assert meter.billed_minutes == 0


def test_a_window_is_billed_once(meter: Meter) -> None:
    meter.write(meter.window(0, 1))
    with refused_by(ALREADY_THERE):
        meter.write(meter.window(0, 1))
    with refused_by(ALREADY_THERE):
        meter.write(meter.window(1, 2), meter.window(1, 2))


def test_usage_ends_with_the_release(meter: Meter) -> None:
    gone = NOON + 1.5 * MINUTE
    complete_release(meter.allocation.pk, completed_at=gone, actor=ACTOR, at=gone)
    meter.write(meter.window(0, 1))
    with refused_by("cursor_stays_in_its_span"):
        meter.write(meter.window(1, 2))
    meter.write(meter.window(1, 1.5))
    with refused_by("cursor_stays_in_its_span"):
        meter.write(meter.window(1.5, 2))


def test_an_allocation_that_never_started_has_no_usage(meter: Meter, cast: Cast) -> None:
    waiting = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    with refused_by("usage_windows_meet"):
        meter.write(Usage(waiting.pk, NOON, NOON + MINUTE))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"last": 0.0}, "usage_window_has_length"),
        ({"last": -1.0}, "usage_window_has_length"),
        ({"cost_minor": -1, "seq": 1}, "usage_cost_in_range"),
        ({"cost_minor": 10**15 + 1, "seq": 1}, "usage_cost_in_range"),
        ({"cost_minor": 4}, "usage_cost_has_its_debit"),
        ({"seq": 1}, "usage_cost_has_its_debit"),
    ],
)
def test_a_usage_record_that_is_not_right_is_refused(meter: Meter, change: dict[str, float], rule: str) -> None:
    values = {"first": 0, "last": 1.0, **change}
    with refused_by(rule):
        meter.write(meter.window(**values))  # type: ignore[arg-type]


def test_a_window_is_charged_or_waived_and_never_both(meter: Meter) -> None:
    both = Usage(meter.allocation.pk, NOON, NOON + MINUTE, cost_minor=4, seq=1, waived_minor=4)
    with refused_by("usage_waived_or_charged"):
        meter.write(both)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accrual_cursors SET accrued_to = accrued_to",
        "UPDATE accrual_cursors SET ends_at = NULL",
        "DELETE FROM accrual_cursors",
        "INSERT INTO accrual_cursors (allocation_id, project_id, sku_id, started_at, accrued_to)"
        " SELECT id + 1, project_id, sku_id, started_at, started_at FROM allocations",
    ],
)
def test_only_usage_moves_a_cursor(meter: Meter, statement: str) -> None:
    with refused_by(NO_PRIVILEGE):
        execute(statement)


@pytest.mark.django_db
def test_usage_of_a_month_that_was_not_made_is_refused(cast: Cast) -> None:
    next_year = NOON.replace(year=2027)
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=next_year)
    wallet = open_ledger_account(cast.entity, "wallet", "USD", account_id=cast.prepaid.pk)
    usage = Usage(allocation.pk, next_year, next_year + MINUTE)
    with refused_by(NO_PARTITION):
        insert_usage(cast.prepaid.pk, cast.gpu.rates.get().pk, wallet.pk, usage)
    ensure_month(next_year.date())
    insert_usage(cast.prepaid.pk, cast.gpu.rates.get().pk, wallet.pk, usage)


@pytest.mark.django_db
def test_months_are_made_only_by_their_function_and_as_often_as_one_likes() -> None:
    with refused_by(NO_PRIVILEGE):
        execute(
            "CREATE TABLE usage_records_2031_05 PARTITION OF usage_records"
            " FOR VALUES FROM ('2031-05-01') TO ('2031-06-01')"
        )
    for _ in range(2):
        ensure_month(date(2031, 5, 31))
    assert "usage_records_2031_05" in tables()


@pytest.mark.parametrize("day", [None, date(1999, 12, 31), date(2200, 1, 1), date(9999, 12, 31)])
@pytest.mark.django_db
def test_a_month_out_of_range_is_refused(day: date | None) -> None:
    with refused_by("22008"):
        execute("SELECT ensure_month(%s::date)", [day])


@pytest.mark.django_db
def test_no_table_can_be_planted_before_one_that_a_guard_reads() -> None:
    """A temporary table comes first on a search path that nobody fixed: each function fixes its own."""
    open_paths = fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND NOT coalesce(array_to_string(proconfig, ' '), '') LIKE '%%search_path=public, pg_temp%%'"
    )
    assert open_paths == []


def test_a_month_is_made_while_a_long_reader_holds_the_parent(committed_db: str) -> None:
    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn) as reader:
        reader.execute("SELECT count(*) FROM usage_records")
        ensure_month(date(2031, 7, 1))
    assert "usage_records_2031_07" in tables()


def test_the_application_role_has_no_way_around_the_parent_table(meter: Meter) -> None:
    meter.write(meter.window(0, 1))
    partitions = [table for table in tables() if table.startswith("usage_records_")]
    assert len(partitions) >= 12
    for partition in partitions:
        assert granted(partition) == ()
    for statement in (
        "SELECT FROM usage_records_2026_03",
        "INSERT INTO usage_records_2026_03 SELECT * FROM usage_records",
        "UPDATE usage_records_2026_03 SET cost_minor = 0",
        "DELETE FROM usage_records_2026_03",
        "TRUNCATE usage_records_2026_03",
        "ALTER TABLE usage_records DETACH PARTITION usage_records_2026_03",
        "DROP TABLE usage_records_2026_03",
    ):
        with refused_by(NO_PRIVILEGE):
            execute(statement)


def test_the_owner_cannot_write_around_the_parent_table_either(committed_db: str, cast: Cast) -> None:
    meter = Meter(cast)
    meter.write(meter.window(0, 1))
    with as_owner():
        assert connection.settings_dict["USER"] != "countinghouse_app"
        with refused_by("append_only"):
            execute("INSERT INTO usage_records_2026_03 SELECT * FROM usage_records")
        assert fetch("SELECT count(*) FROM usage_records") == [(1,)]
