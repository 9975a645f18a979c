"""Eight writers spend one wallet: what it can pay is paid, exactly, and nothing more."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.audit import person
from accounts.locking import lock_account
from ledger import adjustments, corrections, verification
from ledger.balances import balance
from ledger.errors import AlreadyPosted, InsufficientBalance
from ledger.models import LedgerEntry, LedgerTransaction
from ledger.top_ups import post_top_up
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, race_for, successes

WRITERS = 8
FUNDS = 1000


def fill(cast: Cast, amount_minor: int = FUNDS, session: int = 1) -> int:
    posted = post_top_up(
        cast.prepaid, amount_minor=amount_minor, provider="manual", session_id=session, actor=ACTOR, at=NOON
    )
    return posted.transaction_id


def spend(cast: Cast, amount_minor: int, times: int) -> list[object]:
    """Each in a transaction of its own; what each did, or why it was refused."""
    proposal = adjustments.payload(cast.prepaid, -amount_minor, "USD")
    done: list[object] = []
    for _ in range(times):
        try:
            done.append(adjustments.adjust(proposal, actor=person(cast.dana), reason="spent", at=NOON))
        except InsufficientBalance as refused:
            done.append(refused)
    return done


@pytest.mark.parametrize("amount_minor", [70, 100, 999])
def test_eight_writers_spend_exactly_what_the_wallet_holds(committed_db: str, cast: Cast, amount_minor: int) -> None:
    fill(cast)
    affordable = FUNDS // amount_minor
    attempts = affordable // WRITERS + 2
    rounds = race_for(cast.prepaid.pk, *[lambda: spend(cast, amount_minor, attempts)] * WRITERS)
    assert failures(rounds) == []
    results = [result for each in rounds for result in each]
    assert len(results) == WRITERS * attempts
    assert len(successes(results)) == affordable
    assert balance(cast.prepaid).amount_minor == FUNDS - affordable * amount_minor
    chain = LedgerEntry.objects.filter(ledger_account__kind="wallet").order_by("account_seq")
    assert [entry.account_seq for entry in chain] == list(range(1, affordable + 2))
    assert min(entry.balance_after for entry in chain) >= 0
    assert verification.verify(NOON, full=True).violations == []


def test_spending_and_filling_at_once_lose_nothing(committed_db: str, cast: Cast) -> None:
    fill(cast)
    acts: list[Callable[[], Any]] = [lambda: spend(cast, 10, 5)] * 4
    acts += [lambda session=session: [fill(cast, 50, session)] for session in range(2, 6)]
    results = race_locked(cast, acts)
    assert failures(results) == []
    assert balance(cast.prepaid).amount_minor == FUNDS - 4 * 5 * 10 + 4 * 50
    assert verification.verify(NOON, full=True).violations == []


def race_locked(cast: Cast, acts: list[Callable[[], Any]]) -> list[Any]:
    """A top-up expects its caller to hold the lock."""

    def locked(act: Callable[[], Any]) -> Any:
        with transaction.atomic():
            lock_account(cast.prepaid.pk)
            return act()

    return race_for(cast.prepaid.pk, *[lambda act=act: locked(act) for act in acts])


def test_of_many_who_correct_one_transaction_one_succeeds(committed_db: str, cast: Cast) -> None:
    original = fill(cast)

    def correct() -> object:
        return corrections.correct({"transaction": original}, actor=person(cast.dana), reason="wrong", at=NOON)

    results = race_for(cast.prepaid.pk, *[correct] * WRITERS)
    assert len(successes(results)) == 1
    assert {type(error) for error in failures(results)} == {AlreadyPosted}
    assert balance(cast.prepaid).amount_minor == 0


def test_one_payment_told_many_times_at_once_is_credited_once(committed_db: str, cast: Cast) -> None:
    results = race_locked(cast, [lambda: fill(cast)] * WRITERS)
    assert len(successes(results)) == 1
    assert {type(error) for error in failures(results)} == {AlreadyPosted}
    assert balance(cast.prepaid).amount_minor == FUNDS


def test_first_postings_of_one_company_open_its_accounts_once(committed_db: str, cast: Cast) -> None:
    """Nobody holds a lock on our own accounts, so the first postings race to open them."""
    accounts = [cast.prepaid, cast.foreign] * 3

    def first(place: int) -> object:
        with transaction.atomic():
            account = lock_account(accounts[place].pk)
            return post_top_up(account, amount_minor=1, provider="manual", session_id=place, actor=ACTOR, at=NOON)

    results = race(*[lambda place=place: first(place) for place in range(len(accounts))])
    assert failures(results) == []
    assert LedgerTransaction.objects.count() == 6
    assert verification.verify(NOON, full=True).violations == []
