"""Balances, read from the running balance of the newest entry: O(1), and always equal to the sum of the entries."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from accounts.models import BillingAccount, Settlement

# Of `billing_accounts b`, for statements that ask more of an account: its own wallet `a` and the newest entry `head`.
WALLET_HEAD = """
LEFT JOIN ledger_accounts a ON a.billing_account_id = b.id AND a.kind = 'wallet' AND a.detail = ''
    AND a.currency = b.currency AND a.legal_entity_id = b.legal_entity_id
LEFT JOIN LATERAL (
    SELECT balance_after FROM ledger_entries WHERE ledger_account_id = a.id ORDER BY account_seq DESC LIMIT 1
) head ON true
"""
_NEWEST = """
SELECT a.billing_account_id, a.kind, h.balance_after
FROM ledger_accounts a
JOIN LATERAL (
    SELECT balance_after FROM ledger_entries WHERE ledger_account_id = a.id ORDER BY account_seq DESC LIMIT 1
) h ON true
WHERE a.chained AND a.billing_account_id = ANY(%s)
"""


@dataclass(frozen=True)
class Balance:
    """What an account holds, in minor units of its currency, by customer kind."""

    currency: str
    settlement: str
    kinds: dict[str, int]

    @property
    def amount_minor(self) -> int:
        """Positive: what the customer has. Negative: what the customer owes. Holds are not counted."""
        if self.settlement == Settlement.PREPAID:
            return self.kinds.get("wallet", 0)
        return sum(self.kinds.get(kind, 0) for kind in ("unbilled", "receivable", "wallet"))


def balances(accounts: Collection[BillingAccount]) -> dict[int, Balance]:
    """The balances of many accounts in one query, by account id."""
    kinds: dict[int, dict[str, int]] = {account.pk: {} for account in accounts}
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [list(kinds)])
        for account_id, kind, balance_after in cursor.fetchall():
            kinds[account_id][kind] = balance_after
    return {account.pk: Balance(account.currency, account.settlement, kinds[account.pk]) for account in accounts}


def balance(account: BillingAccount) -> Balance:
    """The balance of one account."""
    return balances([account])[account.pk]
