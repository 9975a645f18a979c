"""Whom a caller may ask a policy for: staff and the platform anybody, customers their own."""

from accounts.abilities import READ_BILLING, READ_PROJECTS
from accounts.api.billing_account_names import accounts_of
from accounts.callers import Caller, visible
from accounts.errors import NotFound
from accounts.models import BillingAccount, Organization, Project, User
from accounts.policy_scopes import Subject, find_subject
from accounts.policy_subjects import find
from accounts.public_ids import decode


def subject_of(caller: Caller, public_id: str) -> Subject:
    """Everyone where it is empty. Raises NotFound, alike for what is foreign and what does not exist."""
    if READ_BILLING in caller.everywhere:
        return find(public_id)
    if public_id and not _own(caller, public_id):
        raise NotFound("no such subject of a policy", field="subject")
    return find_subject(public_id)


def _own(caller: Caller, public_id: str) -> bool:
    prefix = public_id.partition("_")[0]
    key = decode(prefix, public_id) or 0
    match prefix:
        case User.PUBLIC_PREFIX:
            return caller.user is not None and caller.user.pk == key
        case Organization.PUBLIC_PREFIX:
            rows = visible(Organization.objects.all(), caller, READ_BILLING, organization="pk")
            return rows.filter(pk=key).exists()
        case Project.PUBLIC_PREFIX:
            return visible(Project.objects.all(), caller, READ_PROJECTS, project="pk").filter(pk=key).exists()
        case BillingAccount.PUBLIC_PREFIX:
            return accounts_of(caller).filter(pk=key).exists()
        case _:
            return False
