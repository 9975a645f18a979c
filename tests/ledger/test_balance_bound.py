"""Postings that leave a healthy balance above its bound are not judged; whatever could move the bound ends that."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import transaction

from accounts.locking import lock_account
from ledger import balance_reactions
from ledger.models import BalanceState, State
from ledger.top_ups import post_top_up
from quotas.allocations import start
from quotas.price_book import set_rate
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.prepaid_scene import THRESHOLD, set_policy, spend, state

HOUR = timedelta(hours=1)
DEARER = {"amount_minor": 20_000, "currency": "USD"}
_sessions = count(1)


@pytest.fixture
def healthy(cast: Cast) -> Cast:
    """Alice's account holds 100 dollars and was judged."""
    assert not top_up(cast, 10_000)
    return cast


def top_up(cast: Cast, amount_minor: int = 1, *, after: timedelta = HOUR) -> bool:
    """Top up; whether the balance needed no judging."""
    with transaction.atomic():
        posted = post_top_up(
            lock_account(cast.prepaid.pk),
            amount_minor=amount_minor,
            provider="manual",
            session_id=next(_sessions),
            actor=ACTOR,
            at=NOON + after,
        )
    return posted.stays_healthy


def bound(cast: Cast) -> int | None:
    return BalanceState.objects.get(pk=cast.prepaid.pk).healthy_above_minor


def test_a_healthy_balance_far_above_its_bound_is_not_judged(healthy: Cast) -> None:
    assert bound(healthy) == 500
    assert top_up(healthy)


def test_at_the_bound_it_is_judged_and_low(healthy: Cast) -> None:
    spend(healthy, 9_499, NOON + HOUR)
    assert state(healthy.prepaid) == State.HEALTHY
    spend(healthy, 1, NOON + HOUR)
    assert state(healthy.prepaid) == State.LOW_BALANCE
    assert not top_up(healthy, 10_000)
    assert state(healthy.prepaid) == State.HEALTHY
    assert top_up(healthy)


def test_what_starts_moves_the_bound(healthy: Cast) -> None:
    start(healthy.project, healthy.gpu, quantity="10", actor=ACTOR, at=NOON)
    projected = 10 * 250
    assert bound(healthy) == projected
    assert top_up(healthy)


def test_a_new_rate_is_looked_at_once(healthy: Cast) -> None:
    start(healthy.project, healthy.gpu, quantity="1", actor=ACTOR, at=NOON)
    later = NOON + 2 * HOUR
    set_rate(healthy.gpu, currency="USD", rate_per_unit_hour="60", effective_from=later, actor=ACTOR, at=NOON)
    assert [top_up(healthy), top_up(healthy)] == [False, True]
    assert [top_up(healthy, after=3 * HOUR), top_up(healthy, after=3 * HOUR)] == [False, True]
    assert bound(healthy) == 6_000


def test_a_policy_for_everybody_is_waited_for(healthy: Cast) -> None:
    set_policy(THRESHOLD, DEARER)
    assert not top_up(healthy)
    assert state(healthy.prepaid) == State.LOW_BALANCE
    balance_reactions.judge_due(NOON + HOUR)
    assert bound(healthy) == 20_000
    assert not top_up(healthy, 30_000)
    assert top_up(healthy)


def test_the_ring_judges_whom_a_policy_for_everybody_concerns(healthy: Cast) -> None:
    """Above the bound of before the change, and below the one after it."""
    set_policy(THRESHOLD, DEARER)
    assert balance_reactions.judge_due(NOON + HOUR) == 2
    assert state(healthy.prepaid) == State.LOW_BALANCE


def test_no_bound_calls_an_empty_wallet_healthy(cast: Cast) -> None:
    with refused_by("balance_zero_is_never_healthy"):
        execute("UPDATE balance_states SET healthy_above_minor = -1")
