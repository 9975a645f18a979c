"""Accrual by its rules, for one or a few allocations."""

from datetime import timedelta

import pytest

from ledger import accrual
from ledger.balances import balance
from ledger.models import UsageRecord
from quotas.allocations import complete_release, resize, start
from tests.cast import ACTOR, NOON, Cast

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_three_minutes_cost_three_windows(cast: Cast) -> None:
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    tally = accrual.drain(NOON + 3 * MINUTE)
    assert (tally.windows, tally.total_minor) == (3, 13)  # 2.50 / 60 a minute: 4, 4 and 5 cents (12.5 half up)
    assert balance(cast.postpaid).amount_minor == -13
    assert accrual.drain(NOON + 3 * MINUTE).windows == 0


def test_an_hour_by_minutes_costs_exactly_the_hour(cast: Cast) -> None:
    start(cast.postpaid_project, cast.gpu, quantity="0.2", actor=ACTOR, at=NOON)
    for minute in range(61):
        accrual.drain(NOON + minute * MINUTE)
    assert balance(cast.postpaid).amount_minor == -50
    assert UsageRecord.objects.count() == 60


def test_accrual_stops_at_the_release(cast: Cast) -> None:
    allocation = start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    gone = NOON + 90 * MINUTE + timedelta(seconds=17)
    complete_release(allocation.pk, completed_at=gone, actor=ACTOR, at=gone)
    tally = accrual.drain(NOON + 300 * MINUTE)
    assert tally.windows == 91
    last = UsageRecord.objects.order_by("-interval_end")[0]
    assert last.interval_end == gone
    assert tally.total_minor == 376  # 2.50 × 5417 s / 3600 = 376.18
    assert accrual.drain(NOON + 600 * MINUTE).windows == 0


def test_a_resize_inside_a_window_cuts_it(cast: Cast) -> None:
    allocation = start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    resize(allocation.pk, quantity="4", actor=ACTOR, at=NOON + timedelta(seconds=30))
    tally = accrual.drain(NOON + 2 * MINUTE)
    assert tally.windows == 3
    assert list(UsageRecord.objects.order_by("interval_start").values_list("cost_minor", flat=True)) == [2, 8, 17]


def test_a_drain_that_has_enough_stops_after_a_batch_and_another_goes_on(cast: Cast) -> None:
    for _ in range(2):
        start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    at = NOON + 4 * MINUTE
    assert accrual.drain(at, batch_accounts=1, enough=lambda: True).accounts == 1
    assert UsageRecord.objects.values("billing_account").distinct().count() == 1
    accrual.drain(at)
    assert UsageRecord.objects.values("billing_account").distinct().count() == 2
    assert UsageRecord.objects.count() == 12
