"""SIGKILL around the judging of a balance: after the next ring one warning, one depletion, one request each."""

from collections.abc import Iterator

import pytest

from ledger.balances import balance
from ledger.models import BalanceTransition, Depletion, ForceRelease, LowBalanceEpisode, UsageRecord
from ledger.verification import verify
from quotas.allocations import start
from tests.cast import ACTOR, NOON, Cast
from tests.crash.crew import Crew, assembled
from tests.crash.crew import drain as ordered
from tests.funding import fund
from tests.prepaid_scene import (
    ADVISORY,
    DEPLETED,
    DEPLETION,
    HEALTHY,
    LOW,
    MINUTE,
    PENDING,
    RELEASE,
    WARNING,
    state,
    steps,
    told,
)

BEFORE_COMMIT = ("accrual.before_tick", "accrual.after_tick", "balance.half_moved", "accrual.before_commit")


@pytest.fixture
def crew(process_environment: dict[str, str]) -> Iterator[Crew]:
    with assembled(process_environment) as crew:
        yield crew


def machines(cast: Cast, number: int) -> None:
    """1.00 a minute in all."""
    for _ in range(number):
        start(cast.project, cast.gpu, quantity=str(24 // number), actor=ACTOR, at=NOON)


def what_there_is() -> tuple[int, ...]:
    followed = (BalanceTransition, LowBalanceEpisode, Depletion, ForceRelease, UsageRecord)
    return tuple(model.objects.count() for model in followed)


def test_a_tick_killed_anywhere_judges_once(crew: Crew, cast: Cast) -> None:
    fund(cast.prepaid, 6100, at=NOON)
    machines(cast, 2)
    expected = {
        NOON + MINUTE: [WARNING, ADVISORY],
        NOON + 61 * MINUTE: [WARNING, ADVISORY, DEPLETION, RELEASE, RELEASE],
    }
    for at, topics in expected.items():
        before, said = what_there_is(), told(cast.prepaid)
        for point in BEFORE_COMMIT:
            assert crew.drain(at, f"{point}=kill").killed, point
            assert (what_there_is(), told(cast.prepaid)) == (before, said), point
        assert crew.drain(at, "accrual.after_commit=kill@1").killed
        assert told(cast.prepaid) == topics
        for _ in range(2):
            assert crew.drain(at).code == 0
        assert told(cast.prepaid) == topics
    assert steps(cast.prepaid) == [(HEALTHY, PENDING), (PENDING, DEPLETED)]
    assert (LowBalanceEpisode.objects.count(), Depletion.objects.count(), ForceRelease.objects.count()) == (1, 1, 2)
    assert verify(NOON, full=True).violations == []


def test_killed_between_the_fall_and_its_tail_the_next_ring_waives_it(crew: Crew, cast: Cast) -> None:
    """The fall is committed, what came after it is not: one depletion, dated by the first ring that found it."""
    fund(cast.prepaid, 6100, at=NOON)
    machines(cast, 1)
    at = NOON + 181 * MINUTE
    assert crew.drain(at, "balance.half_moved=kill").killed
    assert Depletion.objects.count() == 0
    assert crew.drain(at, "accrual.before_commit=kill@2").killed
    depletion = Depletion.objects.get()
    fell = NOON + 61 * MINUTE
    assert (depletion.depleted_at, depletion.requested_at, depletion.tail_from) == (fell, at, fell + 5 * MINUTE)
    assert balance(cast.prepaid).amount_minor == 0
    later = at + 2 * MINUTE
    for _ in range(2):
        assert crew.drain(later).code == 0
    assert told(cast.prepaid) == [WARNING, DEPLETION, RELEASE]
    assert steps(cast.prepaid) == [(HEALTHY, LOW), (LOW, DEPLETED)]
    assert balance(cast.prepaid).amount_minor == -500 - 200  # the grace, and what ran on after the request
    assert sum(UsageRecord.objects.values_list("waived_minor", flat=True)) == 100 * (181 - 66)
    assert verify(NOON, full=True).violations == []


def test_a_worker_killed_beside_another_leaves_one_warning_and_one_fall_each(crew: Crew, cast: Cast) -> None:
    fund(cast.prepaid, 6100, at=NOON)
    machines(cast, 2)
    for minute in (30, 61, 90):
        at = NOON + minute * MINUTE
        crew.together(
            ordered(at, "balance.half_moved=kill"),
            ordered(at),
            ordered(at, "accrual.before_commit=kill@1"),
            ordered(at),
        )
        assert crew.drain(at).code == 0
    assert state(cast.prepaid) == DEPLETED
    assert told(cast.prepaid) == [WARNING, ADVISORY, DEPLETION, RELEASE, RELEASE]
    assert Depletion.objects.get().depleted_at == NOON + 61 * MINUTE
    assert verify(NOON, full=True).violations == []
