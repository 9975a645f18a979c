"""The one lock of the system: the billing account's row, always in id order."""

from collections.abc import Collection

from accounts.errors import NotFound
from accounts.models import BillingAccount


def lock_accounts(account_ids: Collection[int]) -> dict[int, BillingAccount]:
    """Lock the accounts until the transaction ends, and return them by id. Raises NotFound.

    FOR NO KEY UPDATE: a plain FOR UPDATE would block every insert that references the account.
    """
    wanted = set(account_ids)
    rows = BillingAccount.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True)
    locked = {account.pk: account for account in rows}
    if len(locked) != len(wanted):
        raise NotFound("no such billing account", field="billing_account")
    return locked


def lock_account(account_id: int) -> BillingAccount:
    """Lock one account until the transaction ends. Raises NotFound."""
    return lock_accounts([account_id])[account_id]
