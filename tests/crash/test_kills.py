"""SIGKILL at named places of a tick and of the relay, in real processes: every window once, every message once."""

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from ledger.balances import balance
from ledger.models import AccrualSchedule, LedgerTransaction
from quotas.allocations import complete_release
from tests.cast import ACTOR
from tests.crash.crew import Crew, assembled
from tests.crash.crew import drain as ordered
from tests.crash.scene import EVENING, MINUTE, Audit, audit, busy_evening, poison, require_sound_books
from tests.properties.histories import Telling

STEP = 10 * MINUTE
POINTS = ("accrual.before_tick", "accrual.after_tick", "accrual.before_commit", "accrual.after_commit")
HALF = "accrual.half_before_commit"


@pytest.fixture
def crew(process_environment: dict[str, str]) -> Iterator[Crew]:
    with assembled(process_environment) as crew:
        yield crew


@dataclass
class Report:
    kills: int = 0
    last: Audit | None = None

    def tell(self) -> None:
        assert self.last is not None
        print(
            f"\n{self.kills} kills of a worker inside a tick, {self.last.windows} windows billed:"
            f" {self.last.lost} lost, {self.last.doubled} doubled, {self.last.wrong} wrong"
            f" (no failure in {self.kills} kills: at most {3 / self.kills:.1%} per kill with 95 % confidence)"
        )


def places(passages: int) -> Iterator[str]:
    """Every point at its first passage, then at its second, and so on; over and over. Halves are few."""
    return itertools.cycle(
        f"{point}=kill@{1 if point == HALF else n}" for n in range(1, passages + 1) for point in (*POINTS, HALF)
    )


def kill_and_finish(crew: Crew, tellings: list[Telling], failpoints: Iterable[str]) -> Report:
    """Each kill is followed by the next ring and the one after, which find the same windows due and bill them."""
    report, at = Report(), EVENING
    for place in failpoints:
        at += STEP
        batch = 2
        if HALF in place:
            poison(tellings[0], report.kills, at - 2 * MINUTE)
            batch = 100
        dead = crew.drain(at, place, batch_accounts=batch, maximum_windows=10)
        assert dead.killed, (place, dead)
        report.kills += 1
        report.last = finish(crew, tellings, at)
        assert report.last.clean, (place, report)
    return report


def finish(crew: Crew, tellings: list[Telling], at: datetime) -> Audit:
    for moment in (at, at + MINUTE):
        assert crew.drain(moment, batch_accounts=3, maximum_windows=25).code == 0
    return audit(tellings, at, rung_at=at + MINUTE)


def test_twenty_kills_inside_a_tick_lose_and_double_nothing(crew: Crew) -> None:
    tellings = busy_evening()
    report = kill_and_finish(crew, tellings, itertools.islice(places(passages=4), 20))
    require_sound_books()
    report.tell()


@pytest.mark.proof
def test_two_hundred_kills_inside_a_tick_lose_and_double_nothing(crew: Crew) -> None:
    tellings = busy_evening()
    report = kill_and_finish(crew, tellings, itertools.islice(places(passages=4), 150))
    seed = random.SystemRandom().randrange(10**9)
    print(f"\nkills at random moments, seed {seed}")
    chance, at = random.Random(seed), EVENING + 151 * STEP
    while report.kills < 200:
        at += STEP
        order = {**ordered(at, batch_accounts=2, maximum_windows=25), "kill_after_seconds": chance.uniform(0.02, 0.3)}
        outcome = crew.together(order)[0]
        assert outcome.killed or outcome.code == 0
        report.kills += outcome.killed
        report.last = finish(crew, tellings, at)
        assert report.last.clean, (seed, report)
    require_sound_books()
    report.tell()


def test_a_worker_killed_beside_another_leaves_its_share_to_it(crew: Crew) -> None:
    tellings = busy_evening()
    at = EVENING + 3 * timedelta(hours=1)
    killed, other = crew.together(
        ordered(at, "accrual.before_commit=kill@2", batch_accounts=2, maximum_windows=200),
        ordered(at, batch_accounts=2, maximum_windows=200),
    )
    assert other.code == 0
    assert killed.killed or killed.code == 0  # the other may have been the faster one
    assert finish(crew, tellings, at).clean
    require_sound_books()


def test_a_relay_killed_before_its_mark_credits_a_late_release_once(crew: Crew) -> None:
    tellings = busy_evening()
    at = EVENING + 40 * MINUTE
    crew.drain(at)
    account, allocation_id = tellings[0].accounts[0], tellings[0].allocation_ids[0]
    billed = balance(account).amount_minor
    gone = EVENING + 10 * MINUTE  # half an hour of one GPU at 2.50 was billed after it
    complete_release(allocation_id, completed_at=gone, actor=ACTOR, at=at)
    for _ in range(3):
        assert crew.relay(at, "relay.before_mark=kill@1").killed
        assert balance(account).amount_minor == billed
    later = at + timedelta(hours=1)
    crew.relay(later)
    crew.relay(later)
    assert balance(account).amount_minor == billed + 125
    assert LedgerTransaction.objects.filter(kind="adjustment").count() == 1
    require_sound_books()


def test_a_batch_is_halved_down_to_the_account_at_fault(crew: Crew) -> None:
    """The plan of the kills relies on it: without a fault no half is ever committed."""
    tellings = busy_evening()
    at = EVENING + STEP
    poisoned = poison(tellings[0], 0, EVENING)
    outcome = crew.drain(at)
    assert outcome.tally is not None
    assert outcome.tally["parked"] == 1
    parked = AccrualSchedule.objects.exclude(parked_at=None)
    assert list(parked.values_list("billing_account_id", flat=True)) == [poisoned.pk]
