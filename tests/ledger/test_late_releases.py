"""A machine reported gone after its usage was billed: the difference is credited once, to each account its part."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts import outbox_relay, policy
from accounts.bindings import rebind
from accounts.models import AuditLog, BillingAccount, OutboxMessage
from ledger import accrual
from ledger.balances import balance
from ledger.errors import AlreadyPosted
from ledger.late_releases import credit_overrun, overruns
from ledger.models import AccrualCursor, LedgerTransaction, UsageRecord
from quotas.allocations import complete_release, resize, start
from quotas.models import Allocation
from quotas.price_book import set_rate
from quotas.topics import RELEASE_REPORTED_LATE
from tests.cast import ACTOR, NOON, Cast

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def owed(account: BillingAccount) -> int:
    return -balance(account).amount_minor


def settle(allocation: Allocation, gone_after: timedelta, told_after: timedelta) -> None:
    """Report the release and let the relay deliver what follows from it, twice."""
    told = NOON + told_after
    complete_release(allocation.pk, completed_at=NOON + gone_after, actor=ACTOR, at=told)
    for later in (MINUTE, timedelta(hours=2)):
        accrual.drain(told + later)
        outbox_relay.drain(told + later)


@pytest.mark.usefixtures("tails_are_billed")
@pytest.mark.parametrize("gone", [0, 1, 7, 59, 60, 61, 90, 590, 600], ids=lambda seconds: f"{seconds} s")
def test_in_the_end_it_costs_what_it_would_have_cost_told_in_time(cast: Cast, gone: int) -> None:
    late, in_time = (
        start(project, cast.gpu, quantity="1.7", actor=ACTOR, at=NOON)
        for project in (cast.project, cast.postpaid_project)
    )
    moment = NOON + gone * SECOND
    complete_release(in_time.pk, completed_at=moment, actor=ACTOR, at=moment)
    accrual.drain(NOON + 10 * MINUTE)
    settle(late, gone * SECOND, 10 * MINUTE + 5 * SECOND)
    assert owed(cast.prepaid) == owed(cast.postpaid)
    assert LedgerTransaction.objects.filter(kind="adjustment").count() == (1 if gone < 600 else 0)


def test_usage_that_was_billed_stands_and_charging_ends_with_it(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 10 * MINUTE)
    settle(allocation, 4 * MINUTE, 11 * MINUTE)
    allocation.refresh_from_db()
    assert (allocation.completed_at, allocation.released_at) == (NOON + 4 * MINUTE, NOON + 10 * MINUTE)
    cursor = AccrualCursor.objects.get(pk=allocation.pk)
    assert (cursor.accrued_to, cursor.done) == (NOON + 10 * MINUTE, True)
    assert UsageRecord.objects.count() == 10


def test_a_resize_and_a_new_price_after_the_end_are_credited_at_what_they_cost(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    price = {"currency": "USD", "rate_per_unit_hour": "6.00", "actor": ACTOR, "at": NOON}
    set_rate(cast.gpu, effective_from=NOON + 6 * MINUTE, **price)  # type: ignore[arg-type]
    resize(allocation.pk, quantity="3", actor=ACTOR, at=NOON + 8 * MINUTE)
    accrual.drain(NOON + 10 * MINUTE)
    settle(allocation, 5 * MINUTE + 30 * SECOND, 12 * MINUTE)
    assert owed(cast.prepaid) == 23  # five and a half minutes of 2.50 an hour: 22.9


def test_each_account_of_a_rebind_gets_back_what_it_paid(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="6", actor=ACTOR, at=NOON)
    rebind(cast.project, cast.postpaid, actor=ACTOR, at=NOON + 4 * MINUTE)
    accrual.drain(NOON + 10 * MINUTE)
    paid = owed(cast.prepaid), owed(cast.postpaid)
    assert paid == (100, 150)
    allocation.refresh_from_db()
    assert overruns(allocation, NOON + 2 * MINUTE) == {cast.prepaid.pk: 50, cast.postpaid.pk: 150}
    settle(allocation, 2 * MINUTE, 11 * MINUTE)
    assert (owed(cast.prepaid), owed(cast.postpaid)) == (50, 0)
    audited = AuditLog.objects.filter(action="allocation.credit_overrun").order_by("billing_account_id")
    assert [(row.old_balance, row.new_balance) for row in audited] == [(-100, -50), (-150, 0)]


def test_a_message_that_comes_twice_credits_once(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 10 * MINUTE)
    settle(allocation, timedelta(), 10 * MINUTE)
    message = OutboxMessage.objects.get(topic=RELEASE_REPORTED_LATE)
    with pytest.raises(AlreadyPosted), transaction.atomic():
        credit_overrun(message, at=NOON + 11 * MINUTE)
    assert owed(cast.prepaid) == 0


def test_wide_windows_are_credited_to_the_second(cast: Cast) -> None:
    policy.set_value("billing.window_seconds", 3600, scope="global", scope_id=None, actor=ACTOR, reason="test", at=NOON)
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 60 * MINUTE)
    assert owed(cast.prepaid) == 250
    settle(allocation, 12 * MINUTE, 61 * MINUTE)
    assert owed(cast.prepaid) == 50


@pytest.mark.usefixtures("tails_are_billed")
def test_told_in_time_there_is_nothing_to_credit(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 10 * MINUTE)
    settle(allocation, 10 * MINUTE, 11 * MINUTE)
    assert owed(cast.prepaid) == 42
    assert not LedgerTransaction.objects.filter(kind="adjustment").exists()
