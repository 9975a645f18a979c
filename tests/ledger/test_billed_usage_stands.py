"""Usage is billed once and given back once, whatever comes late: rebinds, releases, corrections, test clocks."""

from datetime import timedelta

import pytest

from accounts import approvals, outbox_relay
from accounts.bindings import rebind
from accounts.errors import ApprovalRefused, Conflict, Guarded
from accounts.lifecycle import open_billing_account
from accounts.models import BillingAccount
from billing_site.figures import last_verification
from ledger import accrual, adjustments, corrections
from ledger.balances import balance
from ledger.models import AccrualSchedule, LedgerTransaction, VerificationRun
from quotas.allocations import complete_release, start
from tests.cast import ACTOR, NOON, Cast

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
REASON = "checked with the customer"


def another(cast: Cast, currency: str = "USD") -> BillingAccount:
    return open_billing_account(
        cast.acme, cast.entity, "Another", currency=currency, settlement="postpaid", actor=ACTOR, at=NOON
    )


def test_a_rebind_behind_the_usage_of_a_finished_allocation_is_refused(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + HOUR)
    complete_release(allocation.pk, completed_at=NOON + HOUR, actor=ACTOR, at=NOON + HOUR)
    with pytest.raises(Conflict) as caught:
        rebind(cast.project, another(cast), actor=ACTOR, at=NOON + HOUR / 2)
    assert caught.value.code == "already_billed"


def test_a_rebind_asks_for_the_rates_of_what_ran_after_it(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    complete_release(allocation.pk, completed_at=NOON + 40 * MINUTE, actor=ACTOR, at=NOON + 40 * MINUTE)
    with pytest.raises(Guarded) as caught:
        rebind(cast.project, another(cast, "EUR"), actor=ACTOR, at=NOON + 20 * MINUTE)
    assert caught.value.code == "no_rate"


def usage_of_an_hour(cast: Cast) -> tuple[int, LedgerTransaction]:
    allocation = start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + HOUR)
    return allocation.pk, LedgerTransaction.objects.get(kind="usage")


def test_a_late_release_gives_nothing_back_that_a_correction_gave_back(cast: Cast) -> None:
    allocation, usage = usage_of_an_hour(cast)
    corrections.correct(corrections.payload(usage), actor=ACTOR, reason=REASON, at=NOON + HOUR)
    complete_release(allocation, completed_at=NOON, actor=ACTOR, at=NOON + HOUR)
    outbox_relay.drain(NOON + HOUR)
    assert balance(cast.postpaid).amount_minor == 0


def test_a_correction_gives_nothing_back_that_a_late_release_gave_back(cast: Cast) -> None:
    allocation, usage = usage_of_an_hour(cast)
    complete_release(allocation, completed_at=NOON + HOUR / 2, actor=ACTOR, at=NOON + HOUR)
    outbox_relay.drain(NOON + HOUR)
    assert balance(cast.postpaid).amount_minor == -125
    with pytest.raises(Conflict) as caught:
        corrections.correct(corrections.payload(usage), actor=ACTOR, reason=REASON, at=NOON + HOUR)
    assert caught.value.code == "credited"
    assert balance(cast.postpaid).amount_minor == -125


@pytest.mark.usefixtures("tails_are_billed")
def test_a_test_clock_of_another_century_stops_nobody_else(cast: Cast) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    BillingAccount.objects.filter(pk=cast.postpaid.pk).update(test_now=NOON.replace(year=2199))
    accrual.drain(NOON + HOUR)
    assert balance(cast.prepaid).amount_minor == -250
    assert list(AccrualSchedule.objects.exclude(parked_at=None).values_list("billing_account", flat=True)) in (
        [],
        [cast.postpaid.pk],
    )


def test_a_large_account_does_not_pull_others_into_its_transaction(cast: Cast) -> None:
    for _ in range(6):
        start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
        start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    held = [cast.prepaid.pk, cast.postpaid.pk]
    assert accrual._bounded(held, 11) == held[:1]
    assert accrual._bounded(held, 12) == held
    assert accrual._bounded(held, 1) == held[:1]
    assert accrual.drain(NOON + HOUR, maximum_windows=11).windows == 720


def test_an_approval_does_not_outlive_the_role_of_who_asked(cast: Cast) -> None:
    payload = adjustments.payload(cast.prepaid, 99_999, "USD")
    request = approvals.submit(adjustments.ACT, payload, maker=cast.dana, reason=REASON, at=NOON).request
    assert request is not None
    cast.dana.groups.clear()
    with pytest.raises(ApprovalRefused):
        approvals.decide(request.pk, checker=cast.erin, approve=True, note="", at=NOON)
    approvals.decide(request.pk, checker=cast.erin, approve=False, note="", at=NOON)
    assert balance(cast.prepaid).amount_minor == 0


def run(*, full: bool, violations: int, minutes: int) -> None:
    moment = NOON + minutes * MINUTE
    VerificationRun.objects.create(
        started_at=moment,
        finished_at=moment,
        full=full,
        watermark=0,
        violations=[],
        violation_count=violations,
    )


def test_what_a_full_run_found_stays_until_a_full_run_is_clean(cast: Cast) -> None:
    run(full=True, violations=3, minutes=0)
    run(full=False, violations=0, minutes=1)
    figures = last_verification(NOON + HOUR)
    assert figures is not None
    assert figures.violations == 3
    run(full=True, violations=0, minutes=2)
    figures = last_verification(NOON + HOUR)
    assert figures is not None
    assert figures.violations == 0
