"""Replacing and erasing the billing details of an account.

The audit says which fields were given, never what was in them; the rows have no history.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.account_phases import require_unarchived
from accounts.audit import Actor, optional_reason, record
from accounts.billing_details import (
    Address,
    Contact,
    check_address,
    check_contact,
    check_emails,
    check_tax_ids,
    details_of,
)
from accounts.clock import check_moment
from accounts.errors import Conflict
from accounts.locking import lock_account
from accounts.models import BillingAccount, BillingAddress, BillingContact, InvoiceEmail, TaxId


@transaction.atomic
def set_contact(
    account_id: int, contact: Contact | None, *, actor: Actor, reason: str | None = None, at: datetime
) -> BillingAccount:
    """Replace the contact; None takes it away.

    Raises EmailInvalid, NameInvalid, NotFound, WrongPhase (archived), ReasonRequired, Conflict (`nothing_changes`).
    """
    wanted = check_contact(contact) if contact else None
    account = _opened(account_id, at)
    _require_change(details_of(account).contact, wanted)
    BillingContact.objects.filter(billing_account=account).delete()
    if wanted:
        BillingContact.objects.create(billing_account=account, **_filled(wanted))
    return _recorded(account, "billing_account.set_contact", {"given": _names(wanted)}, actor, reason, at)


@transaction.atomic
def set_invoice_emails(
    account_id: int, emails: Sequence[str], *, actor: Actor, reason: str | None = None, at: datetime
) -> BillingAccount:
    """Replace the addresses that invoices go to, the primary one first.

    Raises EmailInvalid, InvoiceEmailsInvalid, and what set_contact raises besides.
    """
    wanted = check_emails(emails)
    account = _opened(account_id, at)
    _require_change(details_of(account).invoice_emails, wanted)
    InvoiceEmail.objects.filter(billing_account=account).delete()
    InvoiceEmail.objects.bulk_create(
        InvoiceEmail(billing_account=account, place=place, email=email) for place, email in enumerate(wanted, 1)
    )
    return _recorded(account, "billing_account.set_invoice_emails", {"addresses": len(wanted)}, actor, reason, at)


@transaction.atomic
def set_address(
    account_id: int, address: Address | None, *, actor: Actor, reason: str | None = None, at: datetime
) -> BillingAccount:
    """Replace the postal address; None takes it away. Raises CountryInvalid, and what set_contact raises besides."""
    wanted = check_address(address) if address else None
    account = _opened(account_id, at)
    _require_change(details_of(account).address, wanted)
    BillingAddress.objects.filter(billing_account=account).delete()
    if wanted:
        BillingAddress.objects.create(billing_account=account, **_filled(wanted))
    return _recorded(account, "billing_account.set_address", {"given": _names(wanted)}, actor, reason, at)


@transaction.atomic
def set_tax_ids(
    account_id: int, tax_ids: Sequence[tuple[str, str]], *, actor: Actor, reason: str | None = None, at: datetime
) -> BillingAccount:
    """Replace the tax ids. Raises TaxIdInvalid, and what set_contact raises besides."""
    wanted = check_tax_ids(tax_ids)
    account = _opened(account_id, at)
    _require_change(details_of(account).tax_ids, wanted)
    TaxId.objects.filter(billing_account=account).delete()
    TaxId.objects.bulk_create(TaxId(billing_account=account, type=type_, value=value) for type_, value in wanted)
    types = {"types": [type_ for type_, _ in wanted]}
    return _recorded(account, "billing_account.set_tax_ids", types, actor, reason, at)


def erase(account: BillingAccount) -> None:
    """Forget all details, of an archived account too. The caller holds the account's lock and writes the audit row."""
    for model in (BillingContact, InvoiceEmail, BillingAddress, TaxId):
        model._default_manager.filter(billing_account=account).delete()


def _opened(account_id: int, at: datetime) -> BillingAccount:
    check_moment(at)
    return require_unarchived(lock_account(account_id))


def _require_change(now: object, wanted: object) -> None:
    if now == wanted:
        raise Conflict("that is how it is", code="nothing_changes")


def _recorded(
    account: BillingAccount, action: str, after: dict[str, Any], actor: Actor, reason: str | None, at: datetime
) -> BillingAccount:
    subject, said = ("billing_account", account.pk), optional_reason(reason)
    record(actor, action, subject=subject, account=account, reason=said, after=after, at=at)
    return account


def _filled(given: Contact | Address) -> dict[str, str]:
    return {field.name: getattr(given, field.name) for field in fields(given)}


def _names(given: Contact | Address | None) -> list[str]:
    """Which fields were given, never what stands in them."""
    return [name for name, value in _filled(given).items() if value] if given else []
