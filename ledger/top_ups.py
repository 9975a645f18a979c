"""Top-up and bank transfer: money that arrives. Signs: docs/postings.md."""

from datetime import datetime

from accounts.audit import Actor
from accounts.currencies import parse_positive_minor
from accounts.models import BillingAccount, Settlement
from ledger.balance_state import post_and_judge
from ledger.balances import balance
from ledger.posting import Act, Line, Posted


def post_top_up(
    account: BillingAccount,
    *,
    amount_minor: int,
    tax_minor: int = 0,
    provider: str,
    session_id: int,
    actor: Actor,
    at: datetime,
) -> Posted:
    """Credit a paid top-up once for each payment session; amounts in minor units of the account's currency.

    A prepaid customer paid `amount_minor` + `tax_minor`; a postpaid advance is untaxed. The caller holds the lock.
    Raises AmountInvalid, AlreadyPosted.
    """
    amount_minor = parse_positive_minor(amount_minor)
    tax_minor = tax_minor if account.settlement == Settlement.PREPAID else 0
    lines = [
        Line("clearing", -(amount_minor + tax_minor), "topup", detail=provider),
        Line("wallet", amount_minor, "topup"),
    ]
    if tax_minor:
        lines.append(Line("tax_payable", tax_minor, "tax"))
    act = Act(f"topup:{session_id}", "topup", lines, ("payment_session", session_id))
    return post_and_judge(account, act, actor=actor, at=at)


def transfer_lines(account: BillingAccount, amount_minor: int) -> list[Line]:
    """The journal of a bank transfer: postpaid pays its open receivable first, the rest is the customer's money."""
    to_receivable = 0
    if account.settlement == Settlement.POSTPAID:
        open_minor = -min(balance(account).kinds.get("receivable", 0), 0)
        to_receivable = min(amount_minor, open_minor)
    lines = [Line("bank", -amount_minor, "transfer")]
    if to_receivable:
        lines.append(Line("receivable", to_receivable, "transfer"))
    if amount_minor > to_receivable:
        lines.append(Line("wallet", amount_minor - to_receivable, "transfer"))
    return lines


def post_transfer(
    account: BillingAccount, *, amount_minor: int, bank_reference: str, actor: Actor, at: datetime
) -> Posted:
    """Credit a bank transfer once for each bank reference; minor units. The caller holds the lock.

    Raises AmountInvalid, AlreadyPosted.
    """
    lines = transfer_lines(account, parse_positive_minor(amount_minor))
    act = Act(f"transfer:{bank_reference}", "transfer", lines, ("billing_account", account.pk))
    return post_and_judge(account, act, actor=actor, at=at)
