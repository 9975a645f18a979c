"""Rows that people name by their public id in forms and commands."""

from accounts.errors import NotFound
from accounts.models import BillingAccount
from accounts.public_ids import decode


def find_account(public_id: str) -> BillingAccount:
    """The account a public id names. Raises NotFound."""
    key = decode(BillingAccount.PUBLIC_PREFIX, public_id.strip())
    account = BillingAccount.objects.filter(pk=key).first() if key else None
    if account is None:
        raise NotFound("no such billing account", field="billing_account")
    return account
