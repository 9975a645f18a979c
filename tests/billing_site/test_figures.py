"""Each figure is what stands in the tables at the moment asked for."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.clock import now
from accounts.doorbells import note_ring
from accounts.models import BillingAccount, DeliveryState, OutboxDelivery, OutboxMessage
from billing_site import figures
from ledger.models import AccrualSchedule, BalanceState, VerificationRun
from quotas.catalog.faults import CatalogInvalid, Fault
from quotas.catalog_refusals import raise_alarm, resolve
from tests.cast import NOON, Cast

LATER = NOON + timedelta(minutes=10)


@pytest.fixture
def quiet(cast: Cast) -> Cast:
    """The cast with nothing due and nothing on its way."""
    AccrualSchedule.objects.update(due_at=LATER + timedelta(days=1))
    OutboxDelivery.objects.update(state=DeliveryState.DELIVERED, finished_at=NOON)
    return cast


def park(schedule: AccrualSchedule) -> None:
    AccrualSchedule.objects.filter(pk=schedule.pk).update(
        parked_at=NOON, retry_at=LATER, park_code="planted", park_reason="planted to fail"
    )


def deliver(cast: Cast, state: DeliveryState, *, minutes_ago: int) -> None:
    seq = OutboxMessage.objects.filter(billing_account=cast.prepaid).count() + 1
    message = OutboxMessage.objects.create(
        topic="test.topic",
        payload={},
        billing_account=cast.prepaid,
        seq=seq,
        correlation_id="test",
        occurred_at=LATER - timedelta(minutes=minutes_ago),
    )
    OutboxDelivery.objects.create(
        message=message, billing_account=cast.prepaid, route="test", state=state, next_attempt_at=LATER
    )


def test_nothing_due_is_no_lag(quiet: Cast) -> None:
    assert figures.accrual_lag_seconds(LATER) == 0
    assert figures.parked_accounts() == 0
    assert figures.last_verification(LATER) is None


def test_the_lag_is_that_of_the_longest_waiting_account(quiet: Cast) -> None:
    AccrualSchedule.objects.filter(pk=quiet.prepaid.pk).update(due_at=LATER - timedelta(seconds=90))
    AccrualSchedule.objects.filter(pk=quiet.postpaid.pk).update(due_at=LATER - timedelta(seconds=30))
    assert figures.accrual_lag_seconds(LATER) == 90
    assert figures.accrual_lag_seconds(LATER - timedelta(seconds=80)) == 10


def test_a_parked_account_is_counted_and_does_not_lag(quiet: Cast) -> None:
    AccrualSchedule.objects.filter(pk=quiet.prepaid.pk).update(due_at=LATER - timedelta(days=3))
    park(AccrualSchedule.objects.get(pk=quiet.prepaid.pk))
    assert figures.accrual_lag_seconds(LATER) == 0
    assert figures.parked_accounts() == 1


def test_how_accounts_stand_is_told_at_once(quiet: Cast) -> None:
    assert figures.standing(LATER) == figures.StandingFigures(0.0, 0, 0, 0, 0)
    AccrualSchedule.objects.filter(pk=quiet.prepaid.pk).update(due_at=LATER - timedelta(seconds=90))
    park(AccrualSchedule.objects.get(pk=quiet.postpaid.pk))
    BalanceState.objects.filter(pk=quiet.prepaid.pk).update(state="auto_release_pending")
    BalanceState.objects.filter(pk=quiet.foreign.pk).update(state="low_balance")
    assert figures.standing(LATER) == figures.StandingFigures(90.0, 1, 2, 1, 0)
    BalanceState.objects.filter(pk=quiet.foreign.pk).update(state="depleted")
    assert figures.standing(LATER) == figures.StandingFigures(90.0, 1, 1, 1, 1)


def test_an_account_on_a_test_clock_does_not_lag_and_is_noticed(quiet: Cast) -> None:
    AccrualSchedule.objects.filter(pk=quiet.prepaid.pk).update(due_at=LATER - timedelta(days=1))
    assert not figures.clock_is_advanced()
    BillingAccount.objects.filter(pk=quiet.prepaid.pk).update(test_now=NOON)
    assert figures.clock_is_advanced()
    assert figures.standing(LATER).lag_seconds == figures.accrual_lag_seconds(LATER) == 0


def test_what_a_full_run_found_stays_until_a_full_run_finds_it_mended(quiet: Cast) -> None:
    for minutes, full, violations in ((30, True, 3), (20, False, 0)):
        ended = LATER - timedelta(minutes=minutes)
        VerificationRun.objects.create(
            started_at=ended, finished_at=ended, full=full, watermark=0, violations=[], violation_count=violations
        )
    assert figures.last_verification(LATER) == figures.VerificationFigures(age_seconds=1200, violations=3)


def test_the_outbox_tells_pending_from_dead_and_forgets_the_delivered(quiet: Cast) -> None:
    deliver(quiet, DeliveryState.DELIVERED, minutes_ago=60)
    deliver(quiet, DeliveryState.DEAD, minutes_ago=50)
    deliver(quiet, DeliveryState.PENDING, minutes_ago=5)
    deliver(quiet, DeliveryState.PENDING, minutes_ago=2)
    assert figures.outbox_figures(LATER) == figures.OutboxFigures(pending=2, oldest_pending_seconds=300, dead=1)


def test_the_newest_verification_counts(quiet: Cast) -> None:
    for minutes, violations in ((30, 4), (20, 2)):
        ended = LATER - timedelta(minutes=minutes)
        VerificationRun.objects.create(
            started_at=ended - timedelta(minutes=1),
            finished_at=ended,
            full=True,
            watermark=0,
            violations=[],
            violation_count=violations,
        )
    assert figures.last_verification(LATER) == figures.VerificationFigures(age_seconds=1200, violations=2)


def test_the_same_figures_are_exported(quiet: Cast) -> None:
    deliver(quiet, DeliveryState.DEAD, minutes_ago=1)
    park(AccrualSchedule.objects.get(pk=quiet.postpaid.pk))
    VerificationRun.objects.create(
        started_at=NOON, finished_at=LATER, full=False, watermark=0, violations=[], violation_count=3
    )
    text = Client().get("/metrics", SERVER_PORT="9100").content.decode()
    assert "countinghouse_outbox_dead_letters 1.0" in text
    assert "countinghouse_accrual_parked_accounts 1.0" in text
    assert "countinghouse_verify_violations 3.0" in text
    assert "countinghouse_unconfirmed_releases 0.0" in text


def test_refused_catalogs_are_counted_by_source(quiet: Cast) -> None:
    for source in ("plans.yaml", "back office", "plans.yaml"):
        raise_alarm(source, CatalogInvalid([Fault("eipQuota", "is required")]), at=NOON)
    assert figures.refused_catalogs() == ["plans.yaml", "back office"]
    resolve("plans.yaml", at=LATER)
    text = Client().get("/metrics", SERVER_PORT="9100").content.decode()
    assert "countinghouse_catalog_refusals 1.0" in text


def test_balance_states_and_rings_are_exported(quiet: Cast) -> None:
    BalanceState.objects.filter(pk=quiet.prepaid.pk).update(state="depleted")
    BalanceState.objects.filter(pk=quiet.foreign.pk).update(state="auto_release_pending")
    note_ring("ledger.accrue", at=now() - timedelta(minutes=5))
    text = Client().get("/metrics", SERVER_PORT="9100").content.decode()
    for state, count in (("low_balance", 0), ("auto_release_pending", 1), ("depleted", 1)):
        assert f'countinghouse_balance_accounts{{state="{state}"}} {count}.0' in text
    rang = text.split('countinghouse_task_last_ring_seconds{task="ledger.accrue"} ')[1].split()[0]
    assert 300 <= float(rang) < 400
    assert 'task="ledger.verify_books"' not in text
