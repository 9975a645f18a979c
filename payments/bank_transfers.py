"""Finance staff record a bank transfer that arrived: amount, value date and the bank's reference, once."""

import re
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import approvals
from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.currencies import format_minor, parse_positive_minor, require_currency
from accounts.errors import (
    AccountNotReady,
    Conflict,
    DomainError,
    Forbidden,
    TimeInvalid,
    constraints,
)
from accounts.locking import lock_account
from accounts.models import ApprovalRequest, BillingAccount, Phase
from accounts.outbox import emit
from ledger.balances import balance
from ledger.errors import AlreadyPosted
from ledger.top_ups import post_transfer
from payments import registry, topics
from payments.models import BankTransfer

ACT = "payments.record_transfer"
LIMIT = "approvals.credit_minor"
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./:_+-]{1,118}[A-Za-z0-9]", re.ASCII)


class ReferenceInvalid(DomainError):
    code = "reference_invalid"
    field = "reference"


class ReferenceUsed(Conflict):
    code = "reference_used"
    field = "reference"


def payload(
    account: BillingAccount, *, amount_minor: object, currency: str, value_date: date, reference: str
) -> dict[str, Any]:
    """The proposal as stored and decided. Raises AmountInvalid, CurrencyMismatch, TimeInvalid, ReferenceInvalid."""
    require_currency(account.currency, currency)
    if not date(2000, 1, 1) <= value_date < date(2200, 1, 1):
        raise TimeInvalid("the value date must lie between the years 2000 and 2200", field="value_date")
    if not _REFERENCE.fullmatch(reference.strip()):
        raise ReferenceInvalid("write the bank's reference: 3 to 120 letters, digits, spaces and . / : _ + -")
    return {
        "billing_account": account.pk,
        "amount_minor": parse_positive_minor(amount_minor),
        "currency": currency,
        "value_date": value_date.isoformat(),
        "reference": reference.strip(),
    }


@transaction.atomic
def record_transfer(
    proposal: dict[str, Any],
    *,
    actor: Actor,
    reason: str,
    at: datetime,
    approval: ApprovalRequest | None = None,
) -> dict[str, Any]:
    """Record a transfer and credit it, minor units of the account's currency; a postpaid account pays open debt first.

    Raises NotOffered, NotFound, AccountNotReady (archived), CurrencyMismatch, ReferenceUsed, TimeInvalid (a value date
    in the future), ApprovalRequired above the policy limit, ReasonRequired.
    """
    registry.active().require("staff_transfers")
    if actor.user_id is None:
        raise Forbidden("a transfer is recorded by a person")
    amount_minor, reason, at = parse_positive_minor(proposal["amount_minor"]), require_reason(reason), check_moment(at)
    account = lock_account(proposal["billing_account"])
    _receivable(account, proposal, at)
    approvals.require(ACT, proposal, LIMIT, amount_minor=amount_minor, currency=account.currency, approval=approval)
    before = balance(account)
    used = ReferenceUsed("a transfer of that reference is already recorded")
    try:
        posted = post_transfer(
            account, amount_minor=amount_minor, bank_reference=proposal["reference"], actor=actor, at=at
        )
    except AlreadyPosted:
        raise used from None
    with constraints({"bank_transfer_reference_once": used}):
        transfer = BankTransfer.objects.create(
            billing_account=account,
            legal_entity=account.legal_entity,
            amount_minor=amount_minor,
            currency=account.currency,
            value_date=proposal["value_date"],
            reference=proposal["reference"],
            recorded_by_id=actor.user_id,
            recorded_at=at,
            transaction_id=posted.transaction_id,
        )
    _tell(transfer, before.amount_minor, actor=actor, reason=reason, at=at, approval=approval)
    return {"transaction": posted.transaction_id, "bank_transfer": transfer.pk}


def describe(proposal: dict[str, Any]) -> approvals.Proposal:
    """For the people who decide."""
    return approvals.about_amount(proposal, "Record transfer {reference} of {amount} for {account}")


def _receivable(account: BillingAccount, proposal: dict[str, Any], at: datetime) -> None:
    require_currency(account.currency, proposal["currency"])
    if account.phase == Phase.ARCHIVED:
        raise AccountNotReady("an archived account takes no money", field="billing_account")
    if date.fromisoformat(proposal["value_date"]) > (at + timedelta(days=1)).date():
        raise TimeInvalid("the value date lies in the future", field="value_date")


def _tell(
    transfer: BankTransfer,
    old_balance: int,
    *,
    actor: Actor,
    reason: str,
    at: datetime,
    approval: ApprovalRequest | None,
) -> None:
    account = transfer.billing_account
    record(
        actor,
        "payments.record_transfer",
        subject=("bank_transfer", transfer.pk),
        at=at,
        reason=reason,
        account=account,
        old_balance=old_balance,
        new_balance=old_balance + transfer.amount_minor,
        after=approvals.actor_or_maker(actor, approval),
    )
    emit(
        topics.BALANCE_CREDITED,
        {
            "account": account.public_id,
            "amount_minor": transfer.amount_minor,
            "currency": transfer.currency,
            "amount": format_minor(transfer.amount_minor, transfer.currency),
            "bank_transfer": transfer.public_id,
        },
        at=at,
        account=account,
    )
