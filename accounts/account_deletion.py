"""Deleting a billing account: for its customer it is gone, its personal data is erased, and what it did stays.

No row of an account ever vanishes: entries, invoices and audit refer to it (docs/decisions/0015). A deleted account is
an archived one without projects and without details.
"""

from datetime import datetime

from django.db import transaction

from accounts import guards, topics
from accounts.account_phases import ARCHIVE, change
from accounts.audit import Actor, record, require_reason
from accounts.billing_detail_changes import erase
from accounts.clock import check_moment
from accounts.errors import Conflict
from accounts.locking import lock_account
from accounts.models import BillingAccount, BindingPhase, Phase
from accounts.outbox import emit

_NAMED = 5


class Bound(Conflict):
    code = "has_active_bindings"
    field = "billing_account"


@transaction.atomic
def delete_account(account_id: int, *, actor: Actor, reason: str, at: datetime) -> BillingAccount:
    """Archive an account where it is not, erase its billing details, and mark it deleted.

    Raises NotFound, Conflict (`already_deleted`), Bound (a project pays through it), ReasonRequired, TimeInvalid, and
    Guarded while something runs, is owed or is not settled.
    """
    at, reason = check_moment(at), require_reason(reason)
    account = lock_account(account_id)
    check(account, at=at)
    if account.phase != Phase.ARCHIVED:
        account = change(account.pk, ARCHIVE, actor=actor, reason=reason, at=at)
    erase(account)
    account.deleted_at = at
    account.save(update_fields=["deleted_at"])
    subject = ("billing_account", account.pk)
    record(actor, "billing_account.delete", subject=subject, account=account, reason=reason, at=at)
    emit(topics.ACCOUNT_DELETED, {"account": account.public_id}, at=at, account=account)
    return account


def check(account: BillingAccount, *, at: datetime) -> None:
    """Whether the account may be deleted. Raises Conflict (`already_deleted`), Bound, Guarded."""
    if account.deleted_at:
        raise Conflict("the account is deleted", field="billing_account", code="already_deleted")
    bound = account.bindings.filter(phase=BindingPhase.ACTIVE).select_related("project").order_by("pk")[: _NAMED + 1]
    names = [f"{binding.project.name} ({binding.project.public_id})" for binding in bound]
    if names:
        listed = ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")
        raise Bound(f"billing account has active bindings: {listed}; rebind or close these projects first")
    guards.check("account.delete", account=account, at=at)
