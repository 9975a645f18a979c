"""Seed 004 from outside: a depleted balance asks for the release of what runs, once, and nothing starts again."""

from datetime import timedelta

import pytest

from accounts import outbox_relay
from accounts.bindings import bind, rebind
from accounts.errors import AccountHalted
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import BillingAccount
from ledger import accrual
from ledger.balances import balance
from ledger.models import Depletion, ForceRelease, LedgerEntry, UsageRecord
from quotas.allocations import activate, check_start, complete_release, request, request_release, resize, start
from quotas.models import Allocation
from quotas.price_book import set_rate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.funding import fund
from tests.prepaid_scene import (
    ADVISORY,
    DEPLETED,
    DEPLETION,
    HEALTHY,
    LOW,
    MINUTE,
    PENDING,
    PROJECTION,
    RELEASE,
    THRESHOLD,
    WARNING,
    assert_books_are_clean,
    level,
    messages,
    no_advisories,
    set_policy,
    spend,
    state,
    tick_each_minute,
    told,
)


def status(allocation: Allocation) -> str:
    return Allocation.objects.get(pk=allocation.pk).status


def asked(account: BillingAccount) -> list[str]:
    return [message.payload["allocation"] for message in messages(account, [RELEASE])]


@pytest.fixture
def pair(cast: Cast) -> list[Allocation]:
    """Two machines of 1.00 a minute together, and 3.00."""
    no_advisories()
    fund(cast.prepaid, 300, at=NOON)
    return [start(cast.project, cast.gpu, quantity="12", actor=ACTOR, at=NOON) for _ in range(2)]


def test_004_12_each_running_allocation_is_asked_for_once_however_many_ticks(
    cast: Cast, pair: list[Allocation]
) -> None:
    """AT-042."""
    waiting = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    gone = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    complete_release(gone.pk, completed_at=NOON, actor=ACTOR, at=NOON)
    tick_each_minute(NOON, 10)
    assert state(cast.prepaid) == DEPLETED
    assert told(cast.prepaid, [DEPLETION]) == [DEPLETION]
    assert asked(cast.prepaid) == [one.public_id for one in pair]
    assert [status(one) for one in (*pair, waiting, gone)] == ["releasing", "releasing", "requested", "released"]
    assert ForceRelease.objects.count() == 2
    assert balance(cast.prepaid).amount_minor == -700  # what is not gone yet is charged
    assert_books_are_clean()


def test_004_12_a_second_fall_in_an_episode_asks_again_for_what_still_runs(cast: Cast, pair: list[Allocation]) -> None:
    at = tick_each_minute(NOON, 4)
    complete_release(pair[0].pk, completed_at=at, actor=ACTOR, at=at)
    fund(cast.prepaid, 300, at=at)
    assert (balance(cast.prepaid).amount_minor, state(cast.prepaid)) == (200, LOW)
    at = tick_each_minute(at, 5)
    assert state(cast.prepaid) == DEPLETED
    assert told(cast.prepaid) == [WARNING, DEPLETION, RELEASE, RELEASE, DEPLETION, RELEASE]
    assert asked(cast.prepaid)[2:] == [pair[1].public_id]
    first, second = Depletion.objects.order_by("id")
    assert first.episode == second.episode
    assert (first.closed_at, second.closed_at) == (NOON + 4 * MINUTE, None)
    assert second.depleted_at == NOON + 8 * MINUTE
    assert_books_are_clean()


def test_004_12_a_release_people_asked_for_is_asked_of_the_platform_too(cast: Cast, pair: list[Allocation]) -> None:
    request_release(pair[0].pk, actor=ACTOR, at=NOON + MINUTE)
    tick_each_minute(NOON, 3)
    assert asked(cast.prepaid) == [one.public_id for one in pair]
    assert Allocation.objects.get(pk=pair[0].pk).release_requested_at == NOON + MINUTE


def test_004_14_a_top_up_restarts_nothing(cast: Cast, pair: list[Allocation]) -> None:
    at = tick_each_minute(NOON, 3)
    complete_release(pair[0].pk, completed_at=at, actor=ACTOR, at=at)
    fund(cast.prepaid, 10_000, at=at)
    assert (state(cast.prepaid), level(cast.prepaid)) == (HEALTHY, "full")
    at = tick_each_minute(at, 3)
    outbox_relay.drain(at)
    assert [status(one) for one in pair] == ["released", "releasing"]
    complete_release(pair[1].pk, completed_at=at, actor=ACTOR, at=at)
    entries = LedgerEntry.objects.count()
    for hours in (1, 24):
        accrual.drain(at + timedelta(hours=hours))
    assert [status(one) for one in pair] == ["released", "released"]
    assert LedgerEntry.objects.count() == entries
    assert UsageRecord.objects.latest("interval_end").interval_end == at
    assert_books_are_clean()


def test_004_12_a_platform_that_released_before_we_asked_is_believed(cast: Cast, pair: list[Allocation]) -> None:
    accrual.drain(NOON + 10 * MINUTE)
    for one in pair:
        complete_release(one.pk, completed_at=NOON + MINUTE, actor=ACTOR, at=NOON + 11 * MINUTE)
    outbox_relay.drain(NOON + 12 * MINUTE)
    assert balance(cast.prepaid).amount_minor == 200
    assert state(cast.prepaid) == LOW
    assert Depletion.objects.get().closed_at is not None
    assert_books_are_clean()


def test_a_start_on_a_halted_account_is_refused_until_it_is_topped_up(cast: Cast, pair: list[Allocation]) -> None:
    waiting = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    at = tick_each_minute(NOON, 3)
    before = Allocation.objects.count()
    with pytest.raises(AccountHalted) as refused:
        start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=at)
    assert refused.value.code == "account_halted"
    with pytest.raises(AccountHalted):
        activate(waiting.pk, actor=ACTOR, at=at)
    with pytest.raises(AccountHalted):
        check_start(cast.project, cast.gpu, at=at)
    assert (Allocation.objects.count(), status(waiting)) == (before, "requested")
    fund(cast.prepaid, 1, at=at)
    assert level(cast.prepaid) == "warn"
    activate(waiting.pk, actor=ACTOR, at=at)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=at)


def second_account(cast: Cast, **terms: str) -> BillingAccount:
    given = {"currency": "USD", "settlement": "prepaid", **terms}
    return open_billing_account(cast.acme, cast.entity, "Second", actor=ACTOR, at=BEGINNING, **given)


def test_a_project_is_not_moved_onto_a_halted_account(cast: Cast, pair: list[Allocation]) -> None:
    at = tick_each_minute(NOON, 3)
    with pytest.raises(AccountHalted):
        rebind(cast.postpaid_project, cast.prepaid, actor=ACTOR, at=at)
    assert cast.postpaid_project.bindings.get().billing_account == cast.postpaid


def test_a_move_takes_the_burn_along_and_both_accounts_are_judged(cast: Cast) -> None:
    other = second_account(cast)
    for account in (cast.prepaid, other):
        fund(account, 5000, at=NOON)
    start(cast.project, cast.gpu, quantity="24", actor=ACTOR, at=NOON)  # 60.00 an hour
    assert (state(cast.prepaid), state(other)) == (PENDING, HEALTHY)
    rebind(cast.project, other, actor=ACTOR, at=NOON)
    assert (state(cast.prepaid), state(other)) == (HEALTHY, PENDING)
    assert told(other) == [WARNING, ADVISORY]
    assert_books_are_clean()


def test_burn_follows_resize_release_and_a_rate_that_comes_into_force_later(cast: Cast) -> None:
    set_policy(THRESHOLD, 0)
    fund(cast.prepaid, 1000, at=NOON)
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    resize(allocation.pk, quantity="5", actor=ACTOR, at=NOON)
    assert (burn(cast.prepaid), state(cast.prepaid)) == (1250, PENDING)
    resize(allocation.pk, quantity="2", actor=ACTOR, at=NOON)
    assert (burn(cast.prepaid), state(cast.prepaid)) == (500, HEALTHY)
    later = NOON + 3 * MINUTE
    set_rate(cast.gpu, currency="USD", rate_per_unit_hour="6", effective_from=later, actor=ACTOR, at=NOON)
    accrual.drain(NOON + 2 * MINUTE)
    assert (burn(cast.prepaid), state(cast.prepaid)) == (500, HEALTHY)
    accrual.drain(later)
    assert (burn(cast.prepaid), state(cast.prepaid)) == (1200, PENDING)
    assert_books_are_clean()
    complete_release(allocation.pk, completed_at=later, actor=ACTOR, at=later)
    assert (burn(cast.prepaid), state(cast.prepaid)) == (0, HEALTHY)
    assert_books_are_clean()


def test_a_top_up_is_judged_by_the_rate_in_force_and_not_by_the_last_tick(cast: Cast) -> None:
    """Else it would end an episode that the next tick opens again, and warn twice."""
    fund(cast.prepaid, 400, at=NOON)
    start(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=NOON)
    spend(cast, 1, NOON)
    set_rate(cast.gpu, currency="USD", rate_per_unit_hour="25", effective_from=NOON + MINUTE, actor=ACTOR, at=NOON)
    fund(cast.prepaid, 1000, at=NOON + MINUTE)
    assert (burn(cast.prepaid), state(cast.prepaid)) == (5000, PENDING)
    accrual.drain(NOON + 2 * MINUTE)
    assert told(cast.prepaid).count(WARNING) == 1


def burn(account: BillingAccount) -> int:
    account.balance_state.refresh_from_db()
    return int(account.balance_state.burn_minor_per_hour)


@pytest.mark.parametrize("quantity", ["999999999999", "1"])
def test_a_price_beyond_all_money_burns_and_is_no_accident(cast: Cast, quantity: str) -> None:
    set_rate(cast.gpu, currency="USD", rate_per_unit_hour="9999999999", effective_from=NOON, actor=ACTOR, at=NOON)
    fund(cast.prepaid, 10**12, at=NOON)
    for _ in range(3):
        start(cast.project, cast.gpu, quantity=quantity, actor=ACTOR, at=NOON)
    assert told(cast.prepaid) == [WARNING, ADVISORY]


@pytest.mark.parametrize("scope", ["user", "tenant", "global"])
def test_a_threshold_takes_effect_at_once_and_for_everyone_at_the_next_ring(cast: Cast, scope: str) -> None:
    cast.acme.personal = True
    cast.acme.save()
    fund(cast.prepaid, 600, at=NOON)
    fund(cast.foreign, 600, at=NOON)
    subject = {"user": cast.alice.pk, "tenant": cast.acme.pk, "global": None}[scope]
    set_policy(THRESHOLD, 600, scope=scope, of=subject)
    if scope == "global":
        assert state(cast.prepaid) == HEALTHY
        accrual.drain(NOON)
    assert (state(cast.prepaid), state(cast.foreign)) == (LOW, LOW if scope == "global" else HEALTHY)
    set_policy(THRESHOLD, 599, scope=scope, of=subject, at=NOON + MINUTE)
    accrual.drain(NOON + MINUTE)
    assert (state(cast.prepaid), state(cast.foreign)) == (HEALTHY, HEALTHY)
    assert told(cast.prepaid) == [WARNING]


def test_a_threshold_of_another_currency_is_not_asked(cast: Cast) -> None:
    fund(cast.prepaid, 600, at=NOON)
    set_policy(THRESHOLD, {"amount_minor": 10_000, "currency": "JPY"}, scope="tenant", of=cast.acme.pk)
    assert state(cast.prepaid) == HEALTHY
    set_policy(THRESHOLD, {"amount_minor": 10_000, "currency": "USD"}, scope="tenant", of=cast.acme.pk)
    assert state(cast.prepaid) == LOW


def test_a_horizon_takes_effect_at_once(cast: Cast) -> None:
    fund(cast.prepaid, 1000, at=NOON)
    start(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=NOON)  # 5.00 an hour: two hours
    set_policy(PROJECTION, 7199, scope="tenant", of=cast.acme.pk)
    assert state(cast.prepaid) == HEALTHY
    set_policy(PROJECTION, 7200, scope="tenant", of=cast.acme.pk)
    assert (state(cast.prepaid), told(cast.prepaid)) == (PENDING, [WARNING, ADVISORY])


def test_another_account_is_left_alone(cast: Cast, pair: list[Allocation]) -> None:
    fund(cast.foreign, 600, at=NOON)
    project = open_project(cast.strangers, "Theirs", "theirs", at=BEGINNING)
    bind(project, cast.foreign, actor=ACTOR, at=BEGINNING)
    theirs = start(project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    tick_each_minute(NOON, 3)
    assert (state(cast.prepaid), state(cast.foreign), status(theirs)) == (DEPLETED, HEALTHY, "active")
    assert told(cast.foreign) == []
