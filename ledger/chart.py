"""The chart of accounts. Kinds and their meaning: docs/postings.md."""

from accounts.models import BillingAccount, LegalEntity, Settlement
from ledger.models.book import LedgerAccount

CUSTOMER_KINDS = frozenset({"wallet", "unbilled", "receivable", "held"})


def usage_kind(account: BillingAccount) -> str:
    """Where usage is debited: the wallet of a prepaid account, `unbilled` of a postpaid one."""
    return "wallet" if account.settlement == Settlement.PREPAID else "unbilled"


def late_release_key(allocation_id: int, account_id: int) -> str:
    """What the credit of a late release is named by, so that no other act gives the same money back."""
    return f"late_release-{allocation_id}-{account_id}"


def open_ledger_account(
    legal_entity: LegalEntity | int,
    kind: str,
    currency: str,
    *,
    detail: str = "",
    account_id: int | None = None,
) -> LedgerAccount:
    """The ledger account of a kind, opened where it does not exist; a race ends with one."""
    chained = kind in CUSTOMER_KINDS
    ledger_account, _ = LedgerAccount.objects.get_or_create(
        legal_entity_id=legal_entity if isinstance(legal_entity, int) else legal_entity.pk,
        kind=kind,
        detail=detail,
        currency=currency,
        billing_account_id=account_id if chained else None,
        defaults={"chained": chained},
    )
    return ledger_account
