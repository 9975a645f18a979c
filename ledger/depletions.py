"""Depletions: a used up balance asks for the release of all that runs, once, and waives what we were late for."""

from datetime import datetime, timedelta

from accounts.audit import record, system
from accounts.models import BillingAccount
from accounts.outbox import emit, emit_many
from accounts.policy import Scope, effective_many
from ledger import topics
from ledger.balance_facts import GRACE, TAIL
from ledger.episodes import open_episode_of
from ledger.models import Depletion, ForceRelease
from quotas.forced_release import ask_for_all
from quotas.models import Allocation


def open_depletion(
    account: BillingAccount, balance_minor: int, scope: Scope, *, fell_at: datetime, at: datetime
) -> Depletion:
    """Open a depletion that began at `fell_at` and was found at `at`, and request the release of what runs.

    Usage in [fell_at + grace, at) is the tail of an outage of ours: waived, unless the policy bills it.
    """
    tail_from, tail_until = _tail(account, scope, fell_at, at)
    depletion = Depletion.objects.create(
        billing_account=account,
        episode=open_episode_of(account),
        depleted_at=fell_at,
        requested_at=at,
        balance_minor=balance_minor,
        tail_from=tail_from,
        tail_until=tail_until,
    )
    running = ask_for_all(account, at=at)
    _tell(account, depletion, running, at)
    record(
        system("enforcement"),
        "balance.deplete",
        subject=("depletion", depletion.pk),
        account=account,
        at=at,
        reason="the balance is used up",
        new_balance=balance_minor,
        after={"depleted_at": fell_at.isoformat(), "release_requests": len(running)},
    )
    return depletion


def close_depletion(account: BillingAccount, *, at: datetime) -> None:
    """Money is there again. What was asked to be released stays asked: nothing starts again by itself."""
    Depletion.objects.filter(billing_account=account, closed_at=None).update(closed_at=at)


def _tail(
    account: BillingAccount, scope: Scope, fell_at: datetime, at: datetime
) -> tuple[datetime, datetime] | tuple[None, None]:
    held = effective_many([GRACE, TAIL], {account.pk: (scope, account.currency)})[account.pk]
    begins = fell_at + timedelta(seconds=held[GRACE])
    return (begins, at) if held[TAIL] == "waive" and begins < at else (None, None)


def _tell(account: BillingAccount, depletion: Depletion, running: list[Allocation], at: datetime) -> None:
    ForceRelease.objects.bulk_create(
        ForceRelease(depletion=depletion, allocation=allocation, billing_account=account, requested_at=at)
        for allocation in running
    )
    emit(
        topics.BALANCE_DEPLETED,
        {
            "account": account.public_id,
            "balance_minor": depletion.balance_minor,
            "currency": account.currency,
            "depletion": depletion.public_id,
            "depleted_at": depletion.depleted_at.isoformat(),
            "running_allocations": len(running),
        },
        at=at,
        account=account,
    )
    requests = [
        {
            "account": account.public_id,
            "allocation": allocation.public_id,
            "external_id": allocation.external_id,
            "depletion": depletion.public_id,
            "depleted_at": depletion.depleted_at.isoformat(),
            "requested_at": at.isoformat(),
        }
        for allocation in running
    ]
    emit_many(topics.FORCE_RELEASE_REQUESTED, requests, at=at, account=account)
