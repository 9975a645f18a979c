"""Outages of ours: a wallet that ran dry unseen is dated by the window that emptied it, and the tail is waived."""

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from django.db.models import Sum

from accounts.bindings import bind, rebind
from accounts.lifecycle import open_billing_account, open_project
from ledger import accrual
from ledger.balances import balance
from ledger.models import AccrualSchedule, Depletion, UsageRecord
from ledger.verification import verify
from quotas.allocations import complete_release, start
from quotas.models import Allocation
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.funding import fund
from tests.prepaid_scene import (
    DEPLETED,
    DEPLETION,
    GRACE,
    MINUTE,
    RELEASE,
    TAIL,
    WARNING,
    set_policy,
    state,
    told,
)

pytestmark = pytest.mark.usefixtures("committed_db")
SECOND = timedelta(seconds=1)
BACK = NOON + timedelta(hours=3, seconds=17)  # the clock when the ticks are back
DRY = NOON + 24 * MINUTE  # 0.99 at 2.50 an hour


def cost(moment: datetime, *, since: datetime = NOON, quantity: int = 1) -> int:
    """Minor units of some GPUs at 2.50 an hour, half up."""
    exact = Fraction((moment - since) // SECOND, 3600) * 250 * quantity
    return int(exact + Fraction(1, 2))


def billed(allocation: Allocation | None = None) -> tuple[int, int]:
    """Charged and waived."""
    records = UsageRecord.objects.filter(**({"allocation": allocation} if allocation else {}))
    sums = records.aggregate(charged=Sum("cost_minor"), waived=Sum("waived_minor"))
    return sums["charged"] or 0, sums["waived"] or 0


def require_clean_books() -> None:
    assert verify(BACK, full=True).violations == []


def outage(cast: Cast, *, maximum_windows: int = 20_000) -> Allocation:
    """0.99 and one machine; a tick in the first minute, and the next after three hours."""
    fund(cast.prepaid, 99, at=NOON)
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + MINUTE)
    accrual.drain(BACK, maximum_windows=maximum_windows)
    return allocation


@pytest.mark.parametrize(
    ("policies", "tail_from"),
    [
        ({}, DRY + 5 * MINUTE),
        ({GRACE: 0}, DRY),
        ({GRACE: 77}, DRY + 77 * SECOND),
        ({GRACE: 86_400}, None),
        ({GRACE: int((BACK - DRY).total_seconds())}, None),
        ({GRACE: int((BACK - DRY).total_seconds()) - 1}, BACK - SECOND),
        ({TAIL: "bill"}, None),
        ({TAIL: "bill", GRACE: 0}, None),
    ],
)
@pytest.mark.parametrize("maximum_windows", [7, 20_000])
def test_three_hours_without_ticks_are_charged_to_the_end_of_grace_and_from_the_request_on(
    cast: Cast, policies: dict[str, object], tail_from: datetime | None, maximum_windows: int
) -> None:
    for key, value in policies.items():
        set_policy(key, value, at=BEGINNING)
    allocation = outage(cast, maximum_windows=maximum_windows)
    depletion = Depletion.objects.get()
    assert (depletion.depleted_at, depletion.requested_at) == (DRY, BACK)
    assert (depletion.tail_from, depletion.tail_until) == (tail_from, BACK if tail_from else None)
    assert told(cast.prepaid)[-2:] == [DEPLETION, RELEASE]
    assert told(cast.prepaid).count(WARNING) == 1
    gone = BACK + 5 * MINUTE
    accrual.drain(BACK + MINUTE)
    complete_release(allocation.pk, completed_at=gone, actor=ACTOR, at=gone)
    accrual.drain(gone + MINUTE)
    waived = cost(BACK) - cost(tail_from) if tail_from else 0
    assert billed() == (cost(gone) - waived, waived)
    assert balance(cast.prepaid).amount_minor == 99 - cost(gone) + waived
    assert state(cast.prepaid) == DEPLETED
    assert Depletion.objects.count() == 1
    require_clean_books()


def test_what_is_waived_is_the_rule_window_by_window(cast: Cast) -> None:
    outage(cast)
    accrual.drain(BACK + MINUTE)
    for record in UsageRecord.objects.order_by("interval_start"):
        due = cost(record.interval_end) - cost(record.interval_start)
        inside = record.interval_start >= DRY + 5 * MINUTE and record.interval_end <= BACK
        assert (record.cost_minor, record.waived_minor) == ((0, due) if inside else (due, 0))
        assert (record.account_seq is None) == (record.cost_minor == 0)
    require_clean_books()


def test_in_normal_running_nothing_is_waived(cast: Cast) -> None:
    fund(cast.prepaid, 99, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    for minute in range(22, 33):
        accrual.drain(NOON + minute * MINUTE + 4 * SECOND)
    depletion = Depletion.objects.get()
    assert (depletion.depleted_at, depletion.requested_at) == (DRY, DRY + 4 * SECOND)
    assert depletion.tail_from is None
    assert billed() == (cost(NOON + 32 * MINUTE), 0)
    require_clean_books()


def test_machines_side_by_side_are_waived_from_the_same_moment(cast: Cast) -> None:
    fund(cast.prepaid, 300, at=NOON)
    first = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    second = start(cast.project, cast.gpu, quantity="3", actor=ACTOR, at=NOON + 30 * MINUTE + 20 * SECOND)
    accrual.drain(BACK, maximum_windows=25)
    depletion = Depletion.objects.get()
    # 300 minor units: 125 by 12:30, then 16.67 a minute.
    assert depletion.depleted_at == NOON + 41 * MINUTE
    assert depletion.tail_from == NOON + 46 * MINUTE
    accrual.drain(BACK + MINUTE)
    until = NOON + 181 * MINUTE
    for allocation, since, quantity in ((first, NOON, 1), (second, NOON + 30 * MINUTE + 20 * SECOND, 3)):
        costs = [cost(at, since=since, quantity=quantity) for at in (depletion.tail_from, BACK, until)]
        assert billed(allocation) == (costs[0] + costs[2] - costs[1], costs[1] - costs[0])
    require_clean_books()


def test_money_that_came_in_time_keeps_the_machine_and_is_charged(cast: Cast) -> None:
    fund(cast.prepaid, 99, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + MINUTE)
    fund(cast.prepaid, 10_000, at=NOON + 100 * MINUTE)
    accrual.drain(BACK)
    assert not Depletion.objects.exists()
    assert billed() == (cost(NOON + 180 * MINUTE), 0)
    require_clean_books()


def test_two_outages_have_two_tails(cast: Cast) -> None:
    allocation = outage(cast)
    accrual.drain(BACK + MINUTE)
    fund(cast.prepaid, 1000, at=BACK + MINUTE)
    again = BACK + timedelta(hours=9)
    accrual.drain(again)
    first, second = Depletion.objects.order_by("id")
    assert first.closed_at == BACK + MINUTE
    assert second.tail_from == second.depleted_at + 5 * MINUTE
    assert second.requested_at == second.tail_until == again
    accrual.drain(again + MINUTE)
    waived = cost(BACK) - cost(DRY + 5 * MINUTE) + cost(again) - cost(second.tail_from)
    last = UsageRecord.objects.latest("interval_end").interval_end
    assert billed(allocation) == (cost(last) - waived, waived)
    require_clean_books()


def test_an_account_parked_for_hours_is_not_charged_for_what_nobody_stopped(cast: Cast) -> None:
    fund(cast.prepaid, 99, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + MINUTE)
    AccrualSchedule.objects.filter(pk=cast.prepaid.pk).update(
        parked_at=NOON + 2 * MINUTE, park_code="test", park_reason="test", failures=1, retry_at=BACK
    )
    accrual.drain(BACK - MINUTE)
    assert billed() == (4, 0)
    accrual.drain(BACK)
    accrual.drain(BACK + MINUTE)
    assert Depletion.objects.get().tail_from == DRY + 5 * MINUTE
    assert billed()[1] == cost(BACK) - cost(DRY + 5 * MINUTE)
    require_clean_books()


def test_usage_charged_before_a_late_fall_was_found_stays_charged(cast: Cast) -> None:
    """A machine moved here from an account that was parked is billed hours late, and its past empties the wallet."""
    former = open_billing_account(
        cast.acme, cast.entity, "Former", currency="USD", settlement="postpaid", actor=ACTOR, at=BEGINNING
    )
    moved = open_project(cast.acme, "Moved", "moved", at=BEGINNING)
    bind(moved, former, actor=ACTOR, at=BEGINNING)
    late = start(moved, cast.gpu, quantity="24", actor=ACTOR, at=NOON)
    own = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    AccrualSchedule.objects.filter(pk=former.pk).update(
        parked_at=NOON, park_code="test", park_reason="test", failures=1, retry_at=BACK
    )
    fund(cast.prepaid, 5000, at=NOON)
    rebind(moved, cast.prepaid, actor=ACTOR, at=NOON + MINUTE)
    accrual.drain(BACK - MINUTE)
    assert billed(late) == (0, 0)
    charged = billed(own)
    assert charged == (cost(NOON + 179 * MINUTE), 0)
    accrual.drain(BACK)
    accrual.drain(BACK + 2 * MINUTE)
    depletion = Depletion.objects.get()
    assert depletion.tail_from == depletion.depleted_at + 5 * MINUTE
    assert depletion.depleted_at < BACK - timedelta(hours=1)
    assert billed(late)[1] > 0
    assert billed(own)[0] >= charged[0]
    require_clean_books()
