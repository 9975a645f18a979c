"""Seed 004 from outside: a prepaid balance warns, advises and runs dry, each once, by the rule of docs/postings.md."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import transaction

from accounts import outbox_relay
from accounts.bindings import bind
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import BillingAccount, Project
from ledger import accrual, corrections
from ledger.balances import balance
from ledger.models import Depletion, LedgerTransaction, LowBalanceEpisode
from quotas.allocations import complete_release, resize, start
from quotas.price_book import open_sku, set_rate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.funding import fund
from tests.prepaid_scene import (
    ABOUT_BALANCES,
    ADVISORY,
    DEPLETED,
    DEPLETION,
    HEALTHY,
    HOUR,
    LOW,
    MINUTE,
    PENDING,
    RELEASE,
    TAIL,
    WARNING,
    WIDTH,
    assert_books_are_clean,
    level,
    messages,
    no_advisories,
    open_episodes,
    payload,
    run_dry,
    set_policy,
    spend,
    state,
    steps,
    tick_each_minute,
    told,
)


def balance_of(account: BillingAccount) -> int:
    return balance(account).amount_minor


def test_004_09_ten_ticks_in_the_low_state_warn_once_and_the_next_fall_warns_again(cast: Cast) -> None:
    """AT-041."""
    no_advisories()
    fund(cast.prepaid, 600, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    at = tick_each_minute(NOON, 23)  # 2.50 an hour: 95.83
    assert (balance_of(cast.prepaid), state(cast.prepaid), told(cast.prepaid)) == (504, HEALTHY, [])
    at = tick_each_minute(at, 10)
    assert (state(cast.prepaid), told(cast.prepaid)) == (LOW, [WARNING])
    fund(cast.prepaid, 1000, at=at)
    assert (state(cast.prepaid), level(cast.prepaid), open_episodes(cast.prepaid)) == (HEALTHY, "full", 0)
    spend(cast, 1000, at)
    assert (state(cast.prepaid), level(cast.prepaid)) == (LOW, "warn")
    assert told(cast.prepaid) == [WARNING, WARNING]
    at = tick_each_minute(at, 3)
    assert told(cast.prepaid) == [WARNING, WARNING]
    first, second = LowBalanceEpisode.objects.filter(billing_account=cast.prepaid).order_by("id")
    assert (first.closed_at, second.closed_at) == (at - 3 * MINUTE, None)
    assert_books_are_clean()


def test_004_09_a_warning_says_where_the_balance_stands(cast: Cast) -> None:
    fund(cast.prepaid, 600, at=NOON)
    spend(cast, 100, NOON + MINUTE)
    said = payload(cast.prepaid, WARNING)
    episode = LowBalanceEpisode.objects.get(billing_account=cast.prepaid)
    assert said == {
        "account": cast.prepaid.public_id,
        "balance_minor": 500,
        "threshold_minor": 500,
        "currency": "USD",
        "episode": episode.public_id,
        "state": LOW,
    }
    assert (episode.opened_at, episode.balance_minor, episode.threshold_minor) == (NOON + MINUTE, 500, 500)


@pytest.mark.parametrize(("taken", "expected"), [(499, HEALTHY), (500, LOW), (501, LOW), (999, LOW), (1000, DEPLETED)])
def test_004_09_the_threshold_itself_is_low_and_zero_is_depleted(cast: Cast, taken: int, expected: str) -> None:
    fund(cast.prepaid, 1000, at=NOON)
    spend(cast, taken, NOON)
    assert state(cast.prepaid) == expected


def fall_to_minus_600(cast: Cast) -> datetime:
    """An hour of four GPUs at 2.50 is 10.00; 4.00 were there."""
    set_policy(WIDTH, 3600)
    fund(cast.prepaid, 400, at=NOON)
    allocation = start(cast.project, cast.gpu, quantity="4", actor=ACTOR, at=NOON)
    accrual.drain(NOON + HOUR)
    complete_release(allocation.pk, completed_at=NOON + HOUR, actor=ACTOR, at=NOON + HOUR)
    assert (balance_of(cast.prepaid), state(cast.prepaid)) == (-600, DEPLETED)
    return NOON + HOUR


def test_004_15_a_top_up_from_minus_600_by_1000_is_low_balance_without_a_new_warning(cast: Cast) -> None:
    at = fall_to_minus_600(cast)
    assert told(cast.prepaid).count(WARNING) == 1
    fund(cast.prepaid, 1000, at=at + MINUTE)
    assert (balance_of(cast.prepaid), state(cast.prepaid), level(cast.prepaid)) == (400, LOW, "warn")
    assert told(cast.prepaid).count(WARNING) == 1
    assert open_episodes(cast.prepaid) == 1
    assert Depletion.objects.get(billing_account=cast.prepaid).closed_at == at + MINUTE
    assert_books_are_clean()


@pytest.mark.parametrize(
    ("paid", "expected"), [(599, DEPLETED), (600, DEPLETED), (601, LOW), (1100, LOW), (1101, HEALTHY)]
)
def test_004_15_a_top_up_leads_where_the_balance_stands(cast: Cast, paid: int, expected: str) -> None:
    at = fall_to_minus_600(cast)
    fund(cast.prepaid, paid, at=at)
    assert state(cast.prepaid) == expected
    assert_books_are_clean()


def test_004_10_one_large_tick_goes_through_low_to_depleted_and_warns_first(cast: Cast) -> None:
    no_advisories()
    fund(cast.prepaid, 1000, at=NOON)
    allocation = start(cast.project, cast.gpu, quantity="24", actor=ACTOR, at=NOON)  # 1.00 a minute
    set_policy(WIDTH, 3600)
    accrual.drain(NOON + HOUR)
    assert steps(cast.prepaid) == [(HEALTHY, LOW), (LOW, DEPLETED)]
    assert told(cast.prepaid) == [WARNING, DEPLETION, RELEASE]
    depletion = Depletion.objects.get(billing_account=cast.prepaid)
    assert payload(cast.prepaid, WARNING)["state"] == DEPLETED
    assert payload(cast.prepaid, DEPLETION) == {
        "account": cast.prepaid.public_id,
        "balance_minor": -5000,
        "currency": "USD",
        "depletion": depletion.public_id,
        "depleted_at": (NOON + HOUR).isoformat(),
        "running_allocations": 1,
    }
    assert payload(cast.prepaid, RELEASE)["allocation"] == allocation.public_id
    assert level(cast.prepaid) == "halted"
    assert_books_are_clean()


def test_004_11_the_advisory_comes_by_projection_also_above_the_threshold(cast: Cast) -> None:
    """004-36 too: with the projected time, once an episode."""
    fund(cast.prepaid, 6100, at=NOON)
    start(cast.project, cast.gpu, quantity="24", actor=ACTOR, at=NOON)  # 60.00 an hour
    assert state(cast.prepaid) == HEALTHY
    accrual.drain(NOON + MINUTE)
    assert (balance_of(cast.prepaid), state(cast.prepaid), level(cast.prepaid)) == (6000, PENDING, "warn")
    assert told(cast.prepaid) == [WARNING, ADVISORY]
    said = payload(cast.prepaid, ADVISORY)
    assert (said["balance_minor"], said["burn_minor_per_hour"]) == (6000, "6000")
    assert said["projected_depletion_at"] == (NOON + MINUTE + HOUR).isoformat()
    tick_each_minute(NOON + MINUTE, 10)
    assert told(cast.prepaid) == [WARNING, ADVISORY]


def test_004_36_a_second_advisory_waits_for_the_next_episode(cast: Cast) -> None:
    fund(cast.prepaid, 400, at=NOON)
    spend(cast, 1, NOON)
    allocation = start(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=NOON)  # 5.00 an hour
    assert told(cast.prepaid) == [WARNING, ADVISORY]
    resize(allocation.pk, quantity="1", actor=ACTOR, at=NOON + MINUTE)
    assert state(cast.prepaid) == LOW
    resize(allocation.pk, quantity="2", actor=ACTOR, at=NOON + 2 * MINUTE)
    assert (state(cast.prepaid), told(cast.prepaid)) == (PENDING, [WARNING, ADVISORY])
    fund(cast.prepaid, 1000, at=NOON + 3 * MINUTE)
    assert (state(cast.prepaid), open_episodes(cast.prepaid)) == (HEALTHY, 0)
    resize(allocation.pk, quantity="20", actor=ACTOR, at=NOON + 4 * MINUTE)
    assert told(cast.prepaid) == [WARNING, ADVISORY] * 2


def test_004_11_the_reason_staff_read_is_the_one_that_holds(cast: Cast) -> None:
    fund(cast.prepaid, 400, at=NOON)
    spend(cast, 1, NOON)
    low = cast.prepaid.enforcement_reasons.get(closed_at=None).why
    allocation = start(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=NOON)
    pending = cast.prepaid.enforcement_reasons.get(closed_at=None).why
    assert "threshold" in low
    assert "burn" in pending
    complete_release(allocation.pk, completed_at=NOON + MINUTE, actor=ACTOR, at=NOON + MINUTE)
    assert cast.prepaid.enforcement_reasons.get(closed_at=None).why == low


@pytest.mark.parametrize(
    ("topic", "switch"),
    [
        (WARNING, "notification.low_balance_enabled"),
        (ADVISORY, "notification.auto_release_pending_enabled"),
        (DEPLETION, "notification.balance_depleted_enabled"),
    ],
)
@pytest.mark.parametrize("on", [True, False])
def test_004_29_a_toggle_stops_the_mail_and_not_the_message(cast: Cast, topic: str, switch: str, on: bool) -> None:
    set_policy(switch, on, scope="tenant", of=cast.acme.pk)
    at = run_dry(cast, NOON)
    assert told(cast.prepaid) == [WARNING, ADVISORY, DEPLETION, RELEASE]
    outbox_relay.drain(at)
    subjects = [letter.subject for letter in mail.outbox]
    assert len(mail.outbox) == (3 if on else 2), subjects
    outbox_relay.drain(at + HOUR)
    assert len(mail.outbox) == (3 if on else 2)


class Killed(Exception):
    pass


def test_004_30_the_four_topics_are_written_with_the_debit_or_not_at_all(cast: Cast) -> None:
    def undone() -> None:
        with transaction.atomic():
            run_dry(cast, NOON)
            assert set(told(cast.prepaid)) == set(ABOUT_BALANCES)
            raise Killed

    with pytest.raises(Killed):
        undone()
    assert (balance_of(cast.prepaid), state(cast.prepaid), told(cast.prepaid)) == (0, HEALTHY, [])
    assert not Depletion.objects.exists()
    run_dry(cast, NOON)
    assert sorted(told(cast.prepaid)) == sorted(ABOUT_BALANCES)
    assert [one.seq for one in messages(cast.prepaid)] == sorted(one.seq or 0 for one in messages(cast.prepaid))


def test_an_account_without_entries_is_healthy_and_may_start(cast: Cast) -> None:
    assert (state(cast.prepaid), level(cast.prepaid)) == (HEALTHY, "full")
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert state(cast.prepaid) == HEALTHY
    accrual.drain(NOON + MINUTE)
    assert state(cast.prepaid) == DEPLETED
    assert told(cast.prepaid) == [WARNING, DEPLETION, RELEASE]


def test_a_postpaid_account_is_never_judged(cast: Cast) -> None:
    start(cast.postpaid_project, cast.gpu, quantity="24", actor=ACTOR, at=NOON)
    tick_each_minute(NOON, 3)
    spend(cast, 5000, NOON + HOUR, cast.postpaid)
    assert balance_of(cast.postpaid) < 0
    assert not hasattr(cast.postpaid, "balance_state")
    assert (told(cast.postpaid), steps(cast.postpaid), level(cast.postpaid)) == ([], [], "full")
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON + HOUR)


def test_a_correction_may_deplete_a_balance(cast: Cast) -> None:
    fund(cast.prepaid, 1000, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 12 * MINUTE)
    top_up = LedgerTransaction.objects.get(kind="topup")
    corrections.correct({"transaction": top_up.pk}, actor=ACTOR, reason="bounced", at=NOON + 13 * MINUTE)
    assert (balance_of(cast.prepaid), state(cast.prepaid)) == (-50, DEPLETED)
    assert told(cast.prepaid) == [WARNING, DEPLETION, RELEASE]
    depletion = Depletion.objects.get()
    assert (depletion.depleted_at, depletion.tail_from) == (NOON + 13 * MINUTE, None)
    assert_books_are_clean()


def test_a_window_of_no_cost_does_not_date_a_fall(cast: Cast) -> None:
    """A free machine beside a paid one: the fall is at the end of the window that took the last cent."""
    set_policy(TAIL, "bill")
    free = open_sku("free", "Free", "GPU", at=BEGINNING)
    set_rate(free, currency="USD", rate_per_unit_hour="0", effective_from=BEGINNING, actor=ACTOR, at=BEGINNING)
    fund(cast.prepaid, 300, at=NOON)
    start(cast.project, free, quantity="1", actor=ACTOR, at=NOON)
    start(cast.project, cast.gpu, quantity="24", actor=ACTOR, at=NOON + MINUTE)
    accrual.drain(NOON + 10 * MINUTE)
    assert Depletion.objects.get().depleted_at == NOON + 4 * MINUTE
    assert_books_are_clean()


@pytest.mark.parametrize(
    ("currency", "rate", "an_hour", "threshold"), [("JPY", "120", 120, 500), ("KWD", "1.250", 1250, 500)]
)
def test_minor_units_are_those_of_the_currency(
    cast: Cast, currency: str, rate: str, an_hour: int, threshold: int
) -> None:
    account, project = abroad(cast, currency)
    set_rate(cast.gpu, currency=currency, rate_per_unit_hour=rate, effective_from=BEGINNING, actor=ACTOR, at=BEGINNING)
    fund(account, threshold + an_hour, at=NOON)
    start(project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert account.balance_state.burn_minor_per_hour == an_hour
    no_advisories()
    accrual.drain(NOON + 59 * MINUTE)
    assert state(account) == HEALTHY
    accrual.drain(NOON + 60 * MINUTE)
    assert (balance_of(account), state(account)) == (threshold, LOW)
    assert_books_are_clean()


def abroad(cast: Cast, currency: str) -> tuple[BillingAccount, Project]:
    account = open_billing_account(
        cast.acme, cast.entity, currency, currency=currency, settlement="prepaid", actor=ACTOR, at=BEGINNING
    )
    project = open_project(cast.acme, currency, currency.lower(), at=BEGINNING)
    bind(project, account, actor=ACTOR, at=BEGINNING)
    return account, project


def test_a_test_clock_dates_the_fall(cast: Cast) -> None:
    ahead = NOON + timedelta(days=40)
    cast.prepaid.test_now = ahead
    cast.prepaid.save(update_fields=["test_now"])
    no_advisories()
    fund(cast.prepaid, 600, at=NOON)
    start(cast.project, cast.gpu, quantity="24", actor=ACTOR, at=ahead - 6 * MINUTE)
    accrual.drain(NOON)
    depletion = Depletion.objects.get(billing_account=cast.prepaid)
    assert (depletion.depleted_at, depletion.requested_at) == (ahead, ahead)
    assert told(cast.prepaid) == [WARNING, DEPLETION, RELEASE]
