"""What the database itself refuses to balance states, episodes, depletions and release requests, by plain SQL."""

from datetime import datetime, timedelta

import pytest

from ledger import accrual
from ledger.chart import open_ledger_account
from ledger.models import Depletion, LowBalanceEpisode
from quotas.allocations import start
from quotas.models import Allocation
from tests.cast import ACTOR, NOON, Cast
from tests.funding import fund
from tests.ledger.raw_sql import NO_PRIVILEGE, Usage, execute, fetch, insert_usage, refused_by
from tests.prepaid_scene import DEPLETED, MINUTE, state

BACK = NOON + timedelta(hours=1)  # an hour without ticks: a tail from 12:29 on
TABLES = ("balance_states", "balance_transitions", "low_balance_events", "depletions", "force_release_requests")
EPISODE = (
    "INSERT INTO low_balance_events (billing_account_id, opened_at, balance_minor, threshold_minor)"
    " VALUES (%s, %s, 1, 5)"
)
DEPLETE = (
    "INSERT INTO depletions (billing_account_id, episode_id, depleted_at, requested_at, balance_minor, tail_from,"
    " tail_until) VALUES (%s, %s, %s, %s, 0, %s, %s)"
)
ASK = (
    "INSERT INTO force_release_requests (depletion_id, allocation_id, billing_account_id, requested_at)"
    " SELECT depletion_id, allocation_id, billing_account_id, requested_at FROM force_release_requests"
)


@pytest.fixture
def dry(cast: Cast) -> Allocation:
    """A depleted account with one machine that was asked to go, and a tail that was waived."""
    fund(cast.prepaid, 99, at=NOON)
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(BACK)
    assert state(cast.prepaid) == DEPLETED
    return allocation


def deplete(cast: Cast, *, tail: tuple[datetime | None, datetime | None] = (None, None)) -> None:
    episode = LowBalanceEpisode.objects.filter(billing_account=cast.prepaid).latest("id").pk
    execute(DEPLETE, [cast.prepaid.pk, episode, NOON, BACK, *tail])


def close_all() -> None:
    execute("UPDATE depletions SET closed_at = %s", [BACK])
    execute("UPDATE low_balance_events SET closed_at = %s", [BACK])


def test_a_second_open_episode_is_refused_and_one_after_it_closed_is_not(cast: Cast, dry: Allocation) -> None:
    with refused_by("one_open_episode_per_account"):
        execute(EPISODE, [cast.prepaid.pk, BACK])
    close_all()
    execute(EPISODE, [cast.prepaid.pk, BACK])


def test_a_second_open_depletion_is_refused_and_one_after_it_closed_is_not(cast: Cast, dry: Allocation) -> None:
    with refused_by("one_open_depletion_per_account"):
        deplete(cast)
    close_all()
    deplete(cast)


def test_a_machine_is_asked_to_go_once_a_depletion(cast: Cast, dry: Allocation) -> None:
    with refused_by("one_release_request_per_depletion"):
        execute(ASK)
    assert fetch("SELECT count(*) FROM force_release_requests") == [(1,)]


@pytest.mark.parametrize("table", ["low_balance_events", "depletions"])
@pytest.mark.parametrize("change", ["closed_at = NULL", "closed_at = closed_at + interval '1 second'"])
def test_what_is_closed_stays_closed(dry: Allocation, table: str, change: str) -> None:
    close_all()
    with refused_by("closes_once"):
        execute(f"UPDATE {table} SET {change}")


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("low_balance_events", "opened_at = opened_at - interval '1 day'"),
        ("low_balance_events", "balance_minor = 7"),
        ("low_balance_events", "threshold_minor = 7"),
        ("depletions", "depleted_at = depleted_at - interval '1 day'"),
        ("depletions", "balance_minor = 7"),
        ("depletions", "tail_from = depleted_at"),
        ("depletions", "tail_from = NULL, tail_until = NULL"),
        ("depletions", "requested_at = tail_until + interval '1 day', tail_until = tail_until + interval '1 day'"),
    ],
)
def test_what_was_found_is_not_altered(dry: Allocation, table: str, change: str) -> None:
    with refused_by("closes_once"):
        execute(f"UPDATE {table} SET {change}")


def test_an_advisory_is_dated_once(cast: Cast) -> None:
    execute(EPISODE, [cast.prepaid.pk, NOON])
    execute("UPDATE low_balance_events SET advised_at = %s, projected_depletion_at = %s", [NOON, BACK])
    for change in ("advised_at = NULL", "projected_depletion_at = now()"):
        with refused_by("closes_once"):
            execute(f"UPDATE low_balance_events SET {change}")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_nothing_is_deleted(dry: Allocation, table: str, statement: str) -> None:
    with refused_by(NO_PRIVILEGE):
        execute(statement.format(table))


@pytest.mark.parametrize("table", ["balance_transitions", "force_release_requests"])
def test_steps_and_requests_are_never_changed(dry: Allocation, table: str) -> None:
    with refused_by(NO_PRIVILEGE):
        execute(f"UPDATE {table} SET billing_account_id = billing_account_id")


@pytest.mark.parametrize(
    "tail",
    [
        (NOON - MINUTE, BACK),
        (NOON, BACK - MINUTE),
        (NOON, BACK + MINUTE),
        (BACK, BACK),
        (BACK, NOON),
        (NOON, None),
        (None, BACK),
    ],
)
def test_a_tail_lies_between_the_fall_and_the_request(
    cast: Cast, dry: Allocation, tail: tuple[datetime | None, datetime | None]
) -> None:
    close_all()
    with refused_by("depletion_tail_is_an_interval"):
        deplete(cast, tail=tail)


def test_usage_is_waived_in_a_tail_of_its_account_and_nowhere_else(cast: Cast, dry: Allocation) -> None:
    depletion = Depletion.objects.get()
    assert depletion.tail_until == BACK
    free = start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    wallet = open_ledger_account(cast.entity, "wallet", "USD", account_id=cast.prepaid.pk).pk
    unbilled = open_ledger_account(cast.entity, "unbilled", "USD", account_id=cast.postpaid.pk).pk
    rate = cast.gpu.rates.get().pk
    for first, last in ((BACK, BACK + MINUTE), (BACK, BACK + timedelta(microseconds=1))):
        with refused_by("waived_usage_lies_in_a_tail"):
            insert_usage(cast.prepaid.pk, rate, wallet, Usage(dry.pk, first, last, waived_minor=1))
    with refused_by("waived_usage_lies_in_a_tail"):
        insert_usage(cast.postpaid.pk, rate, unbilled, Usage(free.pk, NOON, BACK, waived_minor=1))
    insert_usage(cast.prepaid.pk, rate, wallet, Usage(dry.pk, BACK, BACK + MINUTE))


@pytest.mark.parametrize("word", ["broke", "", "Healthy"])
def test_a_state_is_one_of_four(cast: Cast, word: str) -> None:
    with refused_by("balance_state_is_known"):
        execute("UPDATE balance_states SET state = %s", [word])


def test_every_prepaid_account_has_a_state_and_no_other(cast: Cast) -> None:
    with_state = {account for (account,) in fetch("SELECT billing_account_id FROM balance_states")}
    assert with_state == {cast.prepaid.pk, cast.foreign.pk}
