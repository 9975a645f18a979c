"""The balance state of prepaid accounts: judged in the transaction of every act that may move it, told once.

Rules: docs/postings.md, "Balance state"; the rule itself is in balance_rule.py. The caller holds the accounts' locks.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from accounts import enforcement
from accounts.audit import Actor
from accounts.failpoints import failpoint
from accounts.locking import lock_accounts
from accounts.models import BillingAccount, Level, Settlement
from ledger import balance_bound, burn, depletions, episodes
from ledger.balance_facts import Facts, facts_of, terms_of
from ledger.balance_rule import Terms, healthy_above, state_of, steps
from ledger.models import BalanceState, BalanceTransition, State
from ledger.posting import Act, Posted, post

SOURCE = "balance"
_LARGEST = 2**63 - 1
_LEVELS = {
    State.LOW_BALANCE: (Level.WARN, "the balance is at or below its threshold"),
    State.AUTO_RELEASE_PENDING: (Level.WARN, "the balance will be used up soon at the present burn"),
    State.DEPLETED: (Level.HALTED, "the balance is used up"),
}


def post_and_judge(account: BillingAccount, act: Act, *, actor: Actor, at: datetime) -> Posted:
    """Post an act and judge the balance it leaves. Raises what posting raises."""
    posted = post(account, act, actor=actor, at=at)
    if not posted.stays_healthy:
        judge(account, at=at)
    return posted


def judge(account: BillingAccount, *, at: datetime, burn_moved: bool = False) -> None:
    """Judge one account after an act that moved its wallet, or its burn. A postpaid account has no such state."""
    if account.settlement != Settlement.PREPAID:
        return
    if burn_moved:
        burn.refresh([account.pk], at)
    _judge(_facts([account.pk], at), at, {account.pk: account}, {})


def judge_many(account_ids: Collection[int], *, at: datetime, fell_at: Mapping[int, datetime] | None = None) -> None:
    """Judge accounts at `at`, each by its own test clock where it has one.

    `fell_at` says when the windows just billed crossed zero, in posting order; else a fall is dated `at`.
    """
    if waiting := balance_bound.unsettled(account_ids, at):
        _judge(_facts(waiting, at), at, {}, fell_at or {})


def _facts(account_ids: Collection[int], at: datetime) -> list[Facts]:
    facts = facts_of(account_ids, at)
    if any(one.burn_is_stale for one in facts):
        burn.refresh(account_ids, at)
        facts = facts_of(account_ids, at)
    return facts


def _judge(
    facts: list[Facts], at: datetime, locked: dict[int, BillingAccount], fell_at: Mapping[int, datetime]
) -> None:
    terms = terms_of(facts)
    bounds = ((one, min(healthy_above(one.burn_minor_per_hour, terms[one.account_id]), _LARGEST)) for one in facts)
    balance_bound.keep({one.account_id: bound for one, bound in bounds if bound != one.healthy_above_minor})
    verdicts = [(one, state_of(one.balance_minor, one.burn_minor_per_hour, terms[one.account_id])) for one in facts]
    moved = [(one, verdict) for one, verdict in verdicts if verdict != one.state]
    accounts = locked or lock_accounts([one.account_id for one, _ in moved])
    for one, verdict in moved:
        moment = one.test_now or at
        fell = min(fell_at.get(one.account_id, moment), moment)
        _move(accounts[one.account_id], one, verdict, terms[one.account_id], moment, fell)


def _move(account: BillingAccount, facts: Facts, verdict: State, terms: Terms, at: datetime, fell_at: datetime) -> None:
    """Take the account to its new state: its row, its steps, its episode, its depletion and its level."""
    balance_minor = facts.balance_minor or 0
    before = State(facts.state)
    if before == State.HEALTHY:
        episodes.open_episode(account, balance_minor, terms, verdict, at=at)
    for after in steps(before, verdict):
        BalanceTransition.objects.create(
            billing_account=account,
            before=before,
            after=after,
            balance_minor=balance_minor,
            burn_minor_per_hour=facts.burn_minor_per_hour,
            threshold_minor=terms.threshold_minor,
            at=at,
        )
        before = after
    if facts.state == State.DEPLETED:
        depletions.close_depletion(account, at=at)
    if verdict == State.AUTO_RELEASE_PENDING:
        episodes.advise(account, balance_minor, facts.burn_minor_per_hour, at=at)
    if verdict == State.DEPLETED:
        depletions.open_depletion(account, balance_minor, facts.scope, fell_at=fell_at, at=at)
    if verdict == State.HEALTHY:
        episodes.close_episode(account, at=at)
    failpoint("balance.half_moved")
    BalanceState.objects.filter(pk=account.pk).update(state=verdict, since=at)
    _hold_back(account, verdict, at)


def _hold_back(account: BillingAccount, state: State, at: datetime) -> None:
    if state == State.HEALTHY:
        enforcement.close_reason(account, SOURCE, at=at)
        return
    level, why = _LEVELS[state]
    enforcement.open_reason(account, SOURCE, level, why=why, at=at)
