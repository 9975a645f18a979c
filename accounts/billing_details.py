"""Whom invoices name and where they go: contact, invoice addresses, postal address, tax ids.

Personal data: it stands on rows of its own, which `billing_detail_changes` replaces and erases. Bounds: seed 000.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Value
from django.db.models.functions import Concat

from accounts.addresses import check_email
from accounts.errors import DomainError
from accounts.models import BillingAccount, InvoiceEmail, TaxId
from accounts.names import check_line

MOST_EMAILS = 10
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_TAX_TYPE = re.compile(r"(?=.{1,32}\Z)[a-z]{2}_[a-z][a-z_]*", re.ASCII)


class InvoiceEmailsInvalid(DomainError):
    code = "invoice_emails_invalid"
    field = "invoice_emails"


class CountryInvalid(DomainError):
    code = "country_invalid"
    field = "country"


class TaxIdInvalid(DomainError):
    code = "tax_id_invalid"
    field = "tax_ids"


@dataclass(frozen=True)
class Contact:
    """Whom we write to. The business name, where there is one, is the customer's name with a provider."""

    email: str
    name: str = ""
    business_name: str = ""


@dataclass(frozen=True)
class Address:
    country: str
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""


@dataclass(frozen=True)
class Details:
    """What stands now. Invoices go to the first of `invoice_emails`, copies to the rest; to the contact if none is."""

    contact: Contact | None
    invoice_emails: tuple[str, ...]
    address: Address | None
    tax_ids: tuple[tuple[str, str], ...]


NONE = Details(None, (), None, ())
_LONGEST = {"line1": 256, "line2": 256, "city": 128, "region": 128, "postal_code": 32}


def with_details(accounts: QuerySet[BillingAccount]) -> QuerySet[BillingAccount]:
    """Accounts whose details come with their rows, in the same query."""
    own = {"billing_account": OuterRef("pk")}
    tax_ids = TaxId.objects.filter(**own).order_by("type").values(line=Concat("type", Value(" "), "value"))
    return accounts.select_related("contact", "address").annotate(
        known_emails=ArraySubquery(InvoiceEmail.objects.filter(**own).order_by("place").values("email")),
        known_tax_ids=ArraySubquery(tax_ids),
    )


def details_of(account: BillingAccount) -> Details:
    """The details of an account; those that came with its row (`with_details`) are not asked for again."""
    contact, address = getattr(account, "contact", None), getattr(account, "address", None)
    emails, tax_ids = (account.__dict__.get(name) for name in ("known_emails", "known_tax_ids"))
    if emails is None or tax_ids is None:
        emails = account.invoice_emails.order_by("place").values_list("email", flat=True)
        pairs = tuple(account.tax_ids.order_by("type").values_list("type", "value"))
    else:
        pairs = tuple((type_, value) for type_, _, value in (line.partition(" ") for line in tax_ids))
    return Details(
        Contact(contact.email, contact.name, contact.business_name) if contact else None,
        tuple(emails),
        Address(*(getattr(address, field.name) for field in fields(Address))) if address else None,
        pairs,
    )


def check_contact(contact: Contact) -> Contact:
    """Raises EmailInvalid, NameInvalid."""
    return Contact(
        check_email(contact.email),
        check_line(contact.name, field="name", longest=256),
        check_line(contact.business_name, field="business_name", longest=256),
    )


def check_emails(emails: Sequence[str]) -> tuple[str, ...]:
    """At most 10 addresses in their order, no two alike. Raises EmailInvalid, InvoiceEmailsInvalid."""
    checked = tuple(check_email(email, field="invoice_emails") for email in emails)
    if len(checked) > MOST_EMAILS:
        raise InvoiceEmailsInvalid(f"at most {MOST_EMAILS} addresses", code="too_many_invoice_emails")
    if len({email.lower() for email in checked}) < len(checked):
        raise InvoiceEmailsInvalid("an address is listed twice", code="invoice_email_twice")
    return checked


def check_address(address: Address) -> Address:
    """Raises CountryInvalid, NameInvalid."""
    if not _COUNTRY.fullmatch(address.country):
        raise CountryInvalid("a country is two capital letters, such as GB")
    lines = {name: check_line(getattr(address, name), field=name, longest=most) for name, most in _LONGEST.items()}
    return Address(address.country, **lines)


def check_tax_ids(tax_ids: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Type and value, each type once, in the order of their types. Raises TaxIdInvalid."""
    checked = []
    for type_, value in tax_ids:
        if not _TAX_TYPE.fullmatch(type_):
            raise TaxIdInvalid(f"{type_[:40]!r} is no type of tax id; one is written as gb_vat")
        if not 0 < len(value.strip()) <= 64 or not value.strip().isprintable():
            raise TaxIdInvalid(f"the {type_} has 1 to 64 characters")
        checked.append((type_, value.strip()))
    types = [type_ for type_, _ in checked]
    twice = next((type_ for type_ in types if types.count(type_) > 1), None)
    if twice:
        raise TaxIdInvalid(f"there are two of {twice}", code="tax_id_twice")
    return tuple(sorted(checked))
