"""Billing accounts as every room's addresses name them."""

from django.db.models import QuerySet

from accounts.abilities import READ_BILLING
from accounts.api.naming import named
from accounts.callers import Caller, visible
from accounts.models import BillingAccount


def accounts_of(caller: Caller) -> QuerySet[BillingAccount]:
    """Those the caller may read; to a customer a deleted one does not exist."""
    rows = visible(BillingAccount.objects.all(), caller, READ_BILLING)
    return rows if caller.everywhere else rows.filter(deleted_at=None)


def account_named(rows: QuerySet[BillingAccount], text: str) -> BillingAccount:
    """Raises NotFound."""
    return named(rows, text, what="billing account")
