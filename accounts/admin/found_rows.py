"""Rows that people name by their public id in forms and commands."""

from accounts import policy_subjects
from accounts.errors import NotFound
from accounts.models import BillingAccount, Organization, PolicyScope
from accounts.public_ids import decode


def find_account(public_id: str) -> BillingAccount:
    """The account a public id names. Raises NotFound."""
    key = decode(BillingAccount.PUBLIC_PREFIX, public_id.strip())
    account = BillingAccount.objects.filter(pk=key).first() if key else None
    if account is None:
        raise NotFound("no such billing account", field="billing_account")
    return account


def find_organization(text: str) -> Organization:
    """The organization of a public id or a short name. Raises NotFound."""
    try:
        subject = policy_subjects.find(text) if text.strip() else None
    except NotFound:
        subject = None
    scope, key = (subject.own if subject else None) or ("", None)
    if scope != PolicyScope.TENANT or key is None:
        raise NotFound("no such organization", field="organization")
    return Organization.objects.get(pk=key)
