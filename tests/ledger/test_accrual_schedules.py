"""The hint of when an account is looked at never hides what is due."""

from datetime import timedelta

import pytest

from accounts import policy
from ledger import accrual
from ledger.models import AccrualSchedule, UsageRecord
from quotas.allocations import start
from tests.cast import ACTOR, NOON, Cast

pytestmark = pytest.mark.django_db


def test_a_new_width_wakes_an_account_at_once(cast: Cast) -> None:
    policy.set_value("billing.window_seconds", 3600, scope="global", scope_id=None, actor=ACTOR, reason="test", at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    later = NOON + timedelta(minutes=10)
    assert accrual.drain(later).windows == 0
    policy.set_value("billing.window_seconds", 60, scope="global", scope_id=None, actor=ACTOR, reason="test", at=later)
    assert accrual.drain(later).windows == 10


@pytest.mark.usefixtures("tails_are_billed")
def test_an_account_that_is_months_behind_keeps_its_oldest_moment_when_the_width_changes(cast: Cast) -> None:
    begun = NOON.replace(year=2027, month=1)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=begun)
    AccrualSchedule.objects.filter(billing_account=cast.prepaid).update(due_at=begun)
    late = begun + timedelta(days=100)
    policy.set_value(
        "billing.window_seconds", 86_400, scope="global", scope_id=None, actor=ACTOR, reason="test", at=late
    )
    accrual.drain(late)
    assert AccrualSchedule.objects.filter(parked_at__isnull=False).count() == 0
    assert UsageRecord.objects.order_by("interval_start")[0].interval_start == begun
    assert UsageRecord.objects.count() == 100  # half a day, then 99 whole ones
