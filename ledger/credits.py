"""Promotional credit: staff grant it with a reason, above the limit through a second person."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import approvals
from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.currencies import parse_positive_minor, require_currency
from accounts.errors import AccountNotReady
from accounts.locking import lock_account
from accounts.models import ApprovalRequest, BillingAccount, Phase
from ledger.balance_state import post_and_judge
from ledger.models import CreditLot
from ledger.posting import Act, Line

ACT = "ledger.grant_credit"
LIMIT = "approvals.credit_minor"


def payload(account: BillingAccount, amount_minor: object, currency: str) -> dict[str, Any]:
    """The proposal as it is stored and decided. Raises AmountInvalid, CurrencyMismatch."""
    require_currency(account.currency, currency)
    return {
        "billing_account": account.pk,
        "amount_minor": parse_positive_minor(amount_minor),
        "currency": account.currency,
    }


def grant_lines(amount_minor: int) -> list[Line]:
    """The journal: the customer's wallet, and what we gave away."""
    return [Line("wallet", amount_minor, "credit_grant"), Line("promo_issued", -amount_minor, "credit_grant")]


@transaction.atomic
def grant_credit(
    proposal: dict[str, Any],
    *,
    actor: Actor,
    reason: str,
    at: datetime,
    approval: ApprovalRequest | None = None,
) -> dict[str, Any]:
    """Grant promotional credit of minor units of the account's currency, as a lot of its own.

    Raises ApprovalRequired above the policy limit, AccountNotReady (archived), CurrencyMismatch, AmountInvalid,
    ReasonRequired, NotFound.
    """
    at, amount_minor = check_moment(at), parse_positive_minor(proposal["amount_minor"])
    reason = require_reason(reason)
    account = lock_account(proposal["billing_account"])
    require_currency(account.currency, proposal["currency"])
    if account.phase == Phase.ARCHIVED:
        raise AccountNotReady("an archived account takes no credit", field="billing_account")
    approvals.require(ACT, proposal, LIMIT, amount_minor=amount_minor, currency=account.currency, approval=approval)
    lot_id = _next_lot()
    act = Act(f"grant:{lot_id}", "grant", grant_lines(amount_minor), ("credit_lot", lot_id))
    posted = post_and_judge(account, act, actor=actor, at=at)
    lot = CreditLot.objects.create(
        pk=lot_id,
        billing_account=account,
        transaction_id=posted.transaction_id,
        amount_minor=amount_minor,
        currency=account.currency,
        granted_at=at,
    )
    balance_minor = posted.balances["wallet"]
    record(
        actor,
        "ledger.grant_credit",
        subject=("credit_lot", lot.pk),
        at=at,
        reason=reason,
        account=account,
        old_balance=balance_minor - amount_minor,
        new_balance=balance_minor,
        after=approvals.actor_or_maker(actor, approval),
    )
    return {"transaction": posted.transaction_id, "credit_lot": lot.public_id, "balance_minor": balance_minor}


def describe(proposal: dict[str, Any]) -> approvals.Proposal:
    """For the people who decide."""
    return approvals.about_amount(proposal, "Grant {amount} of credit to {account}")


def _next_lot() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('credit_lots', 'id'))")
        return int(cursor.fetchone()[0])
