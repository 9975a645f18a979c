"""Real processes and threads on one balance: never below the floor, one warning, one depletion, no dead-lock."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.errors import AccountHalted
from accounts.locking import lock_account
from accounts.models import BillingAccount
from ledger import accrual
from ledger.balance_facts import facts_of, terms_of
from ledger.balance_rule import state_of
from ledger.balances import balance
from ledger.models import Depletion, LedgerEntry, LowBalanceEpisode
from ledger.verification import verify
from quotas.allocations import start
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, waiting_for_a_lock
from tests.funding import fund
from tests.prepaid_scene import (
    DEPLETED,
    DEPLETION,
    HEALTHY,
    LOW,
    MINUTE,
    THRESHOLD,
    WARNING,
    set_policy,
    state,
    told,
)

CHECKOUT = Path(__file__).resolve().parents[2]
PROCESSES = 8
FUNDS = 5000
# For each order: debits until it is refused twice, and says how often it succeeded.
SPENDER = """
import json, sys
import django
django.setup()
from datetime import datetime
from accounts.audit import system
from ledger.adjustments import adjust
from ledger.errors import InsufficientBalance
for order in sys.stdin:
    proposal, done, refused = json.loads(order), 0, 0
    at = datetime.fromisoformat(proposal.pop("at"))
    while refused < 2:
        try:
            adjust(proposal, actor=system("test"), reason="spent", at=at)
            done += 1
        except InsufficientBalance:
            refused += 1
    print(json.dumps(done), flush=True)
"""
Crew = list["subprocess.Popen[str]"]


@pytest.fixture
def spenders(process_environment: dict[str, str]) -> Iterator[Crew]:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SPENDER],
            cwd=CHECKOUT,
            env={**process_environment, "DJANGO_SETTINGS_MODULE": "billing_site.settings", "LOG_LEVEL": "ERROR"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    yield started
    for process in started:
        process.communicate(timeout=60)
    assert [process.returncode for process in started] == [0] * PROCESSES


def spend_together(spenders: Crew, account: BillingAccount, amount_minor: int) -> list[int]:
    """All are seen waiting for the account's lock at one moment; how often each succeeded."""
    order = {"billing_account": account.pk, "amount_minor": -amount_minor, "currency": "USD", "at": NOON.isoformat()}
    with transaction.atomic():
        lock_account(account.pk)
        for process in spenders:
            assert process.stdin
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        until = time.monotonic() + 90  # eight interpreters that load the site
        while (waiting := waiting_for_a_lock(PROCESSES)) < PROCESSES and time.monotonic() < until:
            pass
    assert waiting == PROCESSES
    return [json.loads(process.stdout.readline()) for process in spenders if process.stdout]


def test_eight_processes_spend_one_wallet_to_the_last_debit_it_can_pay(spenders: Crew, cast: Cast) -> None:
    for account, amount_minor, left in ((cast.prepaid, 70, 30), (cast.foreign, 250, 0)):
        fund(account, FUNDS, at=NOON)
        done = spend_together(spenders, account, amount_minor)
        assert sum(done) == FUNDS // amount_minor
        assert sum(one > 0 for one in done) > 1
        assert balance(account).amount_minor == left
        chain = LedgerEntry.objects.filter(billing_account=account, ledger_account__kind="wallet")
        assert chain.earliest("balance_after").balance_after == left
        assert state(account) == (LOW if left else DEPLETED)
        assert told(account) == [WARNING] + ([] if left else [DEPLETION])
        assert LowBalanceEpisode.objects.filter(billing_account=account).count() == 1
        assert Depletion.objects.filter(billing_account=account).count() == (0 if left else 1)
    assert verify(NOON, full=True).violations == []


def by_the_rule(account_id: int, at: datetime) -> str:
    (facts,) = facts_of([account_id], at)
    return state_of(facts.balance_minor, facts.burn_minor_per_hour, terms_of([facts])[account_id])


def test_a_tick_a_top_up_and_a_start_at_once_end_where_the_rule_says(committed_db: str, cast: Cast) -> None:
    fund(cast.prepaid, 300, at=NOON)
    start(cast.project, cast.gpu, quantity="24", actor=ACTOR, at=NOON)
    refused = 0
    for minute in range(1, 16):
        at = NOON + minute * MINUTE
        acts: list[Callable[[], Any]] = [
            lambda at=at: accrual.drain(at),  # type: ignore[misc]
            lambda at=at, paid=(30 if minute % 3 else 150): fund(cast.prepaid, paid, at=at),  # type: ignore[misc]
            lambda at=at: start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=at),  # type: ignore[misc]
            lambda at=at, limit=(300 + minute): set_policy(  # type: ignore[misc]
                THRESHOLD, limit, scope="tenant", of=cast.acme.pk, at=at
            ),
        ]
        results = race(*acts)
        assert {type(error) for error in failures(results)} <= {AccountHalted}
        refused += len(failures(results))
        assert state(cast.prepaid) == by_the_rule(cast.prepaid.pk, at)
    accrual.drain(at)
    assert told(cast.prepaid).count(WARNING) == LowBalanceEpisode.objects.count()
    assert told(cast.prepaid).count(DEPLETION) == Depletion.objects.count() > 0
    assert verify(at, full=True).violations == []


def test_a_change_for_everyone_beside_ticks_is_never_lost_and_never_dead_locks(committed_db: str, cast: Cast) -> None:
    for account in (cast.prepaid, cast.foreign):
        fund(account, 1000, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    for round_ in range(1, 13):
        at = NOON + round_ * MINUTE
        limit = 500 if round_ % 2 else 1500
        results = race(
            lambda at=at: accrual.drain(at),  # type: ignore[misc]
            lambda at=at: accrual.drain(at),  # type: ignore[misc]
            lambda at=at, limit=limit: set_policy(THRESHOLD, limit, at=at),  # type: ignore[misc]
        )
        assert failures(results) == []
        accrual.drain(at)
        expected = HEALTHY if limit == 500 else LOW
        assert (state(cast.prepaid), state(cast.foreign)) == (expected, expected)
    assert verify(at, full=True).violations == []


def test_a_change_for_everyone_made_while_the_last_one_is_judged_is_not_lost(committed_db: str, cast: Cast) -> None:
    fund(cast.prepaid, 1000, at=NOON)
    set_policy(THRESHOLD, 400)
    with transaction.atomic():
        set_policy(THRESHOLD, 2000, at=NOON + MINUTE)
        judging = threading.Thread(target=drain_apart, args=(NOON + MINUTE,))
        judging.start()
        assert waiting_for_a_lock(1) == 1  # it would read the policy of before
    judging.join(60)
    accrual.drain(NOON + MINUTE)
    assert state(cast.prepaid) == LOW


def drain_apart(at: datetime) -> None:
    with closing(connection):
        accrual.drain(at)
