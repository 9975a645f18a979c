"""The journal of an act before it is posted, with the customer's balances before and after."""

from collections.abc import Sequence

from accounts.account_phases import require_open
from accounts.admin.previews import BalanceChange, Fact, JournalRow, Preview, register_fact
from accounts.currencies import format_minor
from accounts.errors import NotFound
from accounts.models import BillingAccount
from accounts.policy import effective, within_limit
from ledger.balances import balance
from ledger.chart import CUSTOMER_KINDS
from ledger.posting import Line


def journal(
    account: BillingAccount, lines: Sequence[Line], *, facts: Sequence[tuple[str, object]], limit: str, size_minor: int
) -> Preview:
    """What would be posted to the account; `limit` is the policy above which `size_minor` needs a second person.

    Raises AccountNotReady (archived).
    """
    require_open(account)
    currency = account.currency
    rows = [JournalRow(_title(line), line.amount_minor, currency) for line in lines]
    held = balance(account)
    moved = {
        kind: sum(line.amount_minor for line in lines if line.kind == kind)
        for kind in dict.fromkeys(line.kind for line in lines if line.kind in CUSTOMER_KINDS)
    }
    balances = [
        BalanceChange(kind, held.kinds.get(kind, 0), held.kinds.get(kind, 0) + amount, currency)
        for kind, amount in moved.items()
    ]
    second = "" if within_limit(limit, size_minor, currency) else _above(limit, size_minor, currency)
    return Preview([("Billing account", f"{account.name} ({account.public_id})"), *facts], rows, balances, second)


def account_of(key: int) -> BillingAccount:
    """The account of a proposal. Raises NotFound."""
    account = BillingAccount.objects.filter(pk=key).first()
    if account is None:
        raise NotFound("no such billing account", field="billing_account")
    return account


def _balance_fact(account: BillingAccount) -> Fact:
    return "Balance now", format_minor(balance(account).amount_minor, account.currency)


register_fact(_balance_fact)


def _title(line: Line) -> str:
    return f"{line.kind} ({line.detail})" if line.detail else line.kind


def _above(limit: str, size_minor: int, currency: str) -> str:
    policy = effective(limit)
    bound = policy if isinstance(policy, dict) else {"amount_minor": policy, "currency": currency}
    in_force = format_minor(bound["amount_minor"], bound["currency"])
    return f"{format_minor(abs(size_minor), currency)} is not within the limit of {in_force} ({limit})."
