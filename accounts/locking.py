"""The one lock of the system: the billing account's row, always in id order.

Written in SQL because every act on money passes here: building the query was most of its cost.
"""

from collections.abc import Collection

from accounts import prepared
from accounts.errors import Conflict, NotFound
from accounts.models import BillingAccount, Organization

_COLUMNS = [field.attname for field in BillingAccount._meta.concrete_fields]
# FOR NO KEY UPDATE: a plain FOR UPDATE would block every insert that references the account.
_ROW = f"SELECT {', '.join(_COLUMNS)} FROM billing_accounts"  # noqa: S608 - column names of our own model
_LOCK = f"{_ROW} WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
_LOCK_ONE = f"{_ROW} WHERE id = %s::bigint FOR NO KEY UPDATE"


def lock_accounts(account_ids: Collection[int]) -> dict[int, BillingAccount]:
    """Lock the accounts until the transaction ends, and return them by id. Raises NotFound."""
    wanted = sorted(set(account_ids))
    locked = [BillingAccount.from_db("default", _COLUMNS, row) for row in prepared.rows(_LOCK, [wanted])]
    if len(locked) != len(wanted):
        raise NotFound("no such billing account", field="billing_account")
    return {account.pk: account for account in locked}


def lock_account(account_id: int) -> BillingAccount:
    """Lock one account until the transaction ends. Raises NotFound."""
    for row in prepared.rows(_LOCK_ONE, [account_id]):
        return BillingAccount.from_db("default", _COLUMNS, row)
    raise NotFound("no such billing account", field="billing_account")


def lock_organization(organization_id: int) -> Organization:
    """Lock an organization's row until the transaction ends: for what is counted or closed over all it has.

    Taken before the locks of accounts, never after. Raises NotFound.
    """
    organization = Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first()
    if organization is None:
        raise NotFound("no such organization", field="organization")
    return organization


def lock_open_organization(organization_id: int) -> Organization:
    """As lock_organization, for what a closed organization cannot do. Raises NotFound, Conflict (`closed`)."""
    organization = lock_organization(organization_id)
    if organization.closed_at:
        raise Conflict("the organization is closed", field="organization", code="closed")
    return organization
