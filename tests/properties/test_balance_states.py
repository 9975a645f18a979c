"""Random walks around the threshold: the site and a model that knows nothing of it agree after every act."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.errors import AccountHalted
from accounts.outbox import emit
from ledger import accrual, balance_state, corrections, depletions, episodes
from ledger.balance_rule import Terms, projected_depletion, state_of
from ledger.balances import balance
from ledger.errors import InsufficientBalance
from ledger.models import Depletion, ForceRelease, LedgerTransaction, LowBalanceEpisode, State
from quotas.allocations import complete_release, resize, start
from quotas.models import Allocation
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.funding import fund
from tests.prepaid_scene import PROJECTION, TAIL, THRESHOLD, level, set_policy, spend, state, steps, told
from tests.properties.balance_model import DEPLETED, MINUTE, WARNING, Machine, Model

AMOUNTS = st.sampled_from([1, 60, 99, 250, 499, 500, 501, 1000, 3000])
SIZES = st.sampled_from(["0.1", "1", "2", "24"])
ACTS = st.one_of(
    st.tuples(st.sampled_from(["top_up", "spend", "spend", "credit", "threshold"]), AMOUNTS),
    st.tuples(st.sampled_from(["tick", "tick", "wait"]), st.sampled_from([1, 2, 7, 45])),
    st.tuples(st.just("start"), SIZES),
    st.tuples(st.just("resize"), SIZES),
    st.tuples(st.sampled_from(["release", "correct"]), st.none()),
    st.tuples(st.just("horizon"), st.sampled_from([0, 600, 3600, 86_400])),
)
WALKS = st.lists(ACTS, min_size=3, max_size=14)
thrifty = settings(derandomize=True, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


class Walk:
    """The site and the model side by side."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.account, self.now = cast, cast.prepaid, NOON
        self.model = Model(rate=Fraction(250))
        self.allocations: list[Allocation] = []
        self.top_ups: list[int] = []
        set_policy(TAIL, "bill", at=BEGINNING)

    def act(self, name: str, how: Any) -> None:
        getattr(self, name)(how)
        self.compare()

    def top_up(self, amount: int) -> None:
        fund(self.account, amount, at=self.now)
        self.top_ups.append(LedgerTransaction.objects.latest("pk").pk)
        self.model.move(amount, self.now)

    def credit(self, amount: int) -> None:
        spend(self.cast, -amount, self.now)
        self.model.move(amount, self.now)

    def spend(self, amount: int) -> None:
        if (self.model.balance or 0) < amount:
            with pytest.raises(InsufficientBalance):
                spend(self.cast, amount, self.now)
            return
        spend(self.cast, amount, self.now)
        self.model.move(-amount, self.now)

    def correct(self, _: object) -> None:
        if not self.top_ups:
            return
        original = self.top_ups.pop()
        amount = sum(
            entry.amount_minor
            for entry in LedgerTransaction.objects.get(pk=original).entries.all()
            if entry.amount_minor > 0
        )
        corrections.correct({"transaction": original}, actor=ACTOR, reason="bounced", at=self.now)
        self.model.move(-amount, self.now)

    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    def tick(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        accrual.drain(self.now)
        self.model.tick(self.now)

    def start(self, quantity: str) -> None:
        if self.model.state == DEPLETED:
            with pytest.raises(AccountHalted):
                start(self.cast.project, self.cast.gpu, quantity=quantity, actor=ACTOR, at=self.now)
            return
        self.allocations.append(start(self.cast.project, self.cast.gpu, quantity=quantity, actor=ACTOR, at=self.now))
        self.model.machines.append(Machine([(self.now, Fraction(quantity))], self.now))
        self.model.judge(self.now)

    def resize(self, quantity: str) -> None:
        if not self.model.running:
            return
        place = self.model.running[0]
        resize(self.allocations[place].pk, quantity=quantity, actor=ACTOR, at=self.now)
        self.model.machines[place].sizes.append((self.now, Fraction(quantity)))
        self.model.judge(self.now)

    def release(self, _: object) -> None:
        if not self.model.running:
            return
        place = self.model.running[-1]
        complete_release(self.allocations[place].pk, completed_at=self.now, actor=ACTOR, at=self.now)
        self.model.machines[place].gone = self.now
        self.model.judge(self.now)

    def threshold(self, amount: int) -> None:
        set_policy(THRESHOLD, amount, scope="tenant", of=self.cast.acme.pk, at=self.now)
        self.model.threshold = amount
        self.model.judge(self.now)

    def horizon(self, seconds: int) -> None:
        set_policy(PROJECTION, seconds, scope="tenant", of=self.cast.acme.pk, at=self.now)
        self.model.horizon = seconds
        self.model.judge(self.now)

    def compare(self) -> None:
        model, account = self.model, self.account
        assert balance(account).amount_minor == (model.balance or 0)
        assert (state(account), level(account)) == (model.state, model.level)
        assert steps(account) == model.steps
        assert told(account) == model.told
        opened = LowBalanceEpisode.objects.filter(billing_account=account).order_by("id")
        assert list(opened.values_list("opened_at", "advised_at", "closed_at")) == [
            (one.opened_at, one.advised_at, one.closed_at) for one in model.episodes
        ]
        fallen = Depletion.objects.filter(billing_account=account).order_by("id")
        assert list(fallen.values_list("depleted_at", "requested_at", "closed_at")) == [
            (one.depleted_at, one.requested_at, one.closed_at) for one in model.falls
        ]
        asked = ForceRelease.objects.filter(billing_account=account).order_by("id")
        assert list(asked.values_list("allocation_id", flat=True)) == [
            self.allocations[place].pk for one in model.falls for place in one.machines
        ]


def walks_agree(cast: Cast, acts: list[tuple[str, Any]]) -> None:
    with transaction.atomic():
        walk = Walk(cast)
        for name, how in acts:
            walk.act(name, how)
        transaction.set_rollback(True)


def test_the_site_and_the_model_agree_after_every_act(cast: Cast) -> None:
    seen: set[str] = set()

    @settings(thrifty, max_examples=50)
    @given(WALKS)
    def walk(acts: list[tuple[str, Any]]) -> None:
        walks_agree(cast, acts)
        seen.update(name for name, _ in acts)

    walk()
    assert len(seen) == 11


def _below_only(balance_minor: int | None, burn: Decimal, terms: Terms) -> State:
    return state_of(balance_minor, burn, Terms(terms.threshold_minor - 1, terms.projection_seconds))


def _at_zero_is_not_yet_depleted(balance_minor: int | None, burn: Decimal, terms: Terms) -> State:
    return State.LOW_BALANCE if balance_minor == 0 else state_of(balance_minor, burn, terms)


def _without_burn(balance_minor: int | None, burn: Decimal, terms: Terms) -> State:
    return state_of(balance_minor, Decimal(0), terms)


def _never(account: object, *, at: datetime) -> None:
    """Closes nothing."""


def _again_and_again(account_ids: Any, *, at: datetime, fell_at: Any = None) -> None:
    balance_state.judge_many(account_ids, at=at, fell_at=fell_at)
    for episode in LowBalanceEpisode.objects.filter(billing_account__in=list(account_ids), closed_at=None):
        emit(WARNING, {}, at=at, account=episode.billing_account)


def _dated_when_found(account_ids: Any, *, at: datetime, fell_at: Any = None) -> None:
    balance_state.judge_many(account_ids, at=at)


@pytest.mark.parametrize(
    ("where", "name", "wrong"),
    [
        (balance_state, "state_of", _below_only),
        (balance_state, "state_of", _at_zero_is_not_yet_depleted),
        (balance_state, "state_of", _without_burn),
        (accrual, "judge_many", _again_and_again),
        (accrual, "judge_many", _dated_when_found),
        (episodes, "close_episode", _never),
        (depletions, "close_depletion", _never),
    ],
)
def test_a_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, cast: Cast, where: object, name: str, wrong: Callable[..., object]
) -> None:
    monkeypatch.setattr(where, name, wrong)
    once = settings(thrifty, max_examples=300, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        once(given(WALKS)(lambda acts: walks_agree(cast, acts)))()


@pytest.mark.parametrize(
    ("burn", "expected"), [("9999999999999.9999999999999999", "healthy"), ("10000000000000", "auto_release_pending")]
)
def test_the_horizon_is_reckoned_without_rounding(burn: str, expected: str) -> None:
    """The product has more digits than a Decimal keeps by itself."""
    assert state_of(10**13, Decimal(burn), Terms(500, 3600)) == expected


def test_a_projection_is_to_the_second_and_never_beyond_a_century() -> None:
    assert projected_depletion(100, Decimal("0.3"), NOON) is not None
    assert projected_depletion(7201, Decimal(7200), NOON) == NOON + 60 * MINUTE
    assert projected_depletion(10**15, Decimal("0.0000000000000001"), NOON) is None
    assert projected_depletion(0, Decimal(1), NOON) is None
    assert projected_depletion(1, Decimal(0), NOON) is None
