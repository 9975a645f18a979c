"""004-27, the scope of plans: what is set for a plan holds for whoever holds it, from the next read on."""

from datetime import datetime, timedelta

import pytest

from accounts.models import BillingAccount
from accounts.policy import set_value
from ledger import accrual
from ledger.models import UsageRecord
from quotas.allocations import start
from quotas.models import CatalogItem
from tests.cast import NOON, Cast
from tests.quotas.plans import publish
from tests.quotas.subscription_scene import BY, assign

MINUTE = timedelta(minutes=1)


def windows(account: BillingAccount, since: datetime) -> set[timedelta]:
    """The lengths of the windows billed to an account from a moment on."""
    rows = UsageRecord.objects.filter(billing_account=account, interval_start__gte=since)
    return {end - begin for begin, end in rows.values_list("interval_start", "interval_end")}


@pytest.mark.usefixtures("tails_are_billed")
def test_004_27_the_window_of_a_plan_is_obeyed_by_the_tick(cast: Cast) -> None:
    publish()
    pro = CatalogItem.objects.get(kind="plan", code="pro-pool")
    assign(cast.acme, "pro-pool", account=cast.postpaid)
    set_value("billing.window_seconds", 300, scope="plan", scope_id=pro.pk, at=NOON, **BY)
    for project in (cast.project, cast.postpaid_project):
        start(project, cast.gpu, quantity="1", actor=BY["actor"], at=NOON)
    accrual.drain(NOON + 10 * MINUTE)
    assert windows(cast.postpaid, NOON) == windows(cast.prepaid, NOON) == {5 * MINUTE}

    moved = NOON + 10 * MINUTE
    assign(cast.acme, "dev-pool", account=cast.postpaid, at=moved)
    accrual.drain(moved + 10 * MINUTE)
    assert windows(cast.postpaid, moved) == {MINUTE}  # another plan, the shipped window

    back = moved + 10 * MINUTE
    assign(cast.acme, "pro-pool", account=cast.postpaid, at=back)
    set_value("billing.window_seconds", 120, scope="tenant", scope_id=cast.acme.pk, at=back, **BY)
    accrual.drain(back + 10 * MINUTE)
    assert windows(cast.postpaid, back) == {2 * MINUTE}  # the organization's own before its plan's
