"""Correction: a transaction is never changed; a new one reverses every line and points back at what it corrects."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import approvals
from accounts.audit import Actor, record, require_reason
from accounts.currencies import format_minor
from accounts.errors import Conflict, NotFound
from accounts.locking import lock_account
from accounts.models import ApprovalRequest, BillingAccount
from ledger.balance_state import post_and_judge
from ledger.chart import CUSTOMER_KINDS, late_release_key
from ledger.models import LedgerEntry, LedgerTransaction
from ledger.posting import Act, Line

ACT = "ledger.correct"
LIMIT = "approvals.credit_minor"


def payload(original: LedgerTransaction) -> dict[str, Any]:
    """The proposal as it is stored and decided."""
    return {"transaction": original.pk}


def correction_lines(original_id: int) -> list[Line]:
    """Every line of the original with its sign reversed, each naming the entry it corrects."""
    entries = LedgerEntry.objects.filter(transaction_id=original_id).select_related("ledger_account").order_by("id")
    return [
        Line(
            entry.ledger_account.kind,
            -entry.amount_minor,
            "adjustment",
            detail=entry.ledger_account.detail,
            metadata={"corrects_entry_id": entry.pk},
        )
        for entry in entries
    ]


@transaction.atomic
def correct(
    proposal: dict[str, Any],
    *,
    actor: Actor,
    reason: str,
    at: datetime,
    approval: ApprovalRequest | None = None,
) -> dict[str, Any]:
    """Reverse a transaction, once. It may take a wallet below zero: what was wrong is undone, whatever is left.

    Raises NotFound, AlreadyPosted (corrected before), ApprovalRequired above the policy limit, ReasonRequired.
    """
    reason = require_reason(reason)
    account = lock_account(_account_of(proposal["transaction"]))
    _refuse_twice_credited(proposal["transaction"], account)
    lines = correction_lines(proposal["transaction"])
    moved = sum(line.amount_minor for line in lines if line.kind in CUSTOMER_KINDS)
    approvals.require(ACT, proposal, LIMIT, amount_minor=_size(lines), currency=account.currency, approval=approval)
    key = f"correct:{proposal['transaction']}"
    act = Act(key, "correction", lines, ("ledger_transaction", proposal["transaction"]), wallet_floor=False)
    posted = post_and_judge(account, act, actor=actor, at=at)
    balance_minor = sum(posted.balances.values())
    record(
        actor,
        "ledger.correct",
        subject=("ledger_transaction", posted.transaction_id),
        at=at,
        reason=reason,
        account=account,
        old_balance=balance_minor - moved,
        new_balance=balance_minor,
        after={"corrects": proposal["transaction"], **approvals.actor_or_maker(actor, approval)},
    )
    return {"transaction": posted.transaction_id, "balance_minor": balance_minor}


def describe(proposal: dict[str, Any]) -> approvals.Proposal:
    """For the people who decide."""
    account = BillingAccount.objects.get(pk=_account_of(proposal["transaction"]))
    size = _size(correction_lines(proposal["transaction"]))
    summary = (
        f"Reverse transaction {proposal['transaction']} of {account.name} ({format_minor(size, account.currency)})"
    )
    return approvals.Proposal(summary, account, size, account.currency)


def _refuse_twice_credited(transaction_id: int, account: BillingAccount) -> None:
    """Part of a usage run may be credited already, because a release was reported late."""
    usage = LedgerEntry.objects.filter(transaction_id=transaction_id, reference_type="allocation")
    keys = {late_release_key(allocation, account.pk) for allocation in usage.values_list("reference_id", flat=True)}
    if LedgerTransaction.objects.filter(business_key__in={f"adjust:{key}" for key in keys}).exists():
        raise Conflict(
            "a late release of this usage is credited already; adjust the rest", field="transaction", code="credited"
        )


def _size(lines: list[Line]) -> int:
    """How much money the correction moves: the sum of its credits."""
    return sum(line.amount_minor for line in lines if line.amount_minor > 0)


def _account_of(transaction_id: int) -> int:
    accounts = set(
        LedgerEntry.objects.filter(transaction_id=transaction_id).values_list("billing_account_id", flat=True)
    )
    if not accounts:
        raise NotFound("no such transaction", field="transaction")
    if len(accounts) > 1 or None in accounts:
        raise Conflict("a transaction of several accounts is corrected by its own act", field="transaction")
    return int(accounts.pop() or 0)
