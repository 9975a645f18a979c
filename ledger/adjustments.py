"""Manual adjustment: staff credit or debit an account, with a reason, above the limit through a second person."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import approvals
from accounts.audit import Actor, record, require_reason
from accounts.currencies import parse_minor, require_currency
from accounts.locking import lock_account
from accounts.models import ApprovalRequest, BillingAccount
from ledger.balance_state import post_and_judge
from ledger.chart import usage_kind
from ledger.posting import Act, Line, Posted

ACT = "ledger.adjust"
LIMIT = "approvals.credit_minor"


def payload(account: BillingAccount, amount_minor: object, currency: str) -> dict[str, Any]:
    """The proposal as it is stored and decided. Raises AmountInvalid, CurrencyMismatch."""
    require_currency(account.currency, currency)
    return {
        "billing_account": account.pk,
        "amount_minor": parse_minor(amount_minor),
        "currency": account.currency,
    }


def adjustment_lines(account: BillingAccount, amount_minor: int) -> list[Line]:
    """The journal: the customer's line and its other side in `allowances`."""
    return [
        Line(usage_kind(account), amount_minor, "adjustment"),
        Line("allowances", -amount_minor, "adjustment"),
    ]


@transaction.atomic
def adjust(
    proposal: dict[str, Any],
    *,
    actor: Actor,
    reason: str,
    at: datetime,
    approval: ApprovalRequest | None = None,
) -> dict[str, Any]:
    """Post an adjustment of ± minor units of the account's currency.

    Raises ApprovalRequired above the policy limit, InsufficientBalance (a wallet below 0), CurrencyMismatch,
    AmountInvalid, ReasonRequired, NotFound.
    """
    amount_minor, reason = parse_minor(proposal["amount_minor"]), require_reason(reason)
    account = lock_account(proposal["billing_account"])
    require_currency(account.currency, proposal["currency"])
    approvals.require(ACT, proposal, LIMIT, amount_minor=amount_minor, currency=account.currency, approval=approval)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('ledger_adjustment_numbers')")
        number = int(cursor.fetchone()[0])
    posted = post_adjustment(
        account, amount_minor, key=str(number), reference=("adjustment", number), actor=actor, at=at
    )
    balance_minor = posted.balances[usage_kind(account)]
    record(
        actor,
        "ledger.adjust",
        subject=("ledger_transaction", posted.transaction_id),
        at=at,
        reason=reason,
        account=account,
        old_balance=balance_minor - amount_minor,
        new_balance=balance_minor,
        after=approvals.actor_or_maker(actor, approval),
    )
    return {"transaction": posted.transaction_id, "balance_minor": balance_minor}


def post_adjustment(
    account: BillingAccount,
    amount_minor: int,
    *,
    key: str,
    reference: tuple[str, int],
    actor: Actor,
    at: datetime,
) -> Posted:
    """Post an adjustment under its business key; the caller holds the lock and has checked what there is to check."""
    act = Act(f"adjust:{key}", "adjustment", adjustment_lines(account, amount_minor), reference)
    return post_and_judge(account, act, actor=actor, at=at)


def describe(proposal: dict[str, Any]) -> approvals.Proposal:
    """For the people who decide."""
    return approvals.about_amount(proposal, "Adjust {account} by {amount}")
