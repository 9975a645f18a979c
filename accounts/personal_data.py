"""Who a customer's people are: masked on every page of the back office, shown when staff ask, and the asking is kept.

Staff themselves are shown: finance people must know who asked and who decided.
"""

from datetime import datetime

from accounts import staff_roles
from accounts.audit import person as actor_of
from accounts.audit import record
from accounts.billing_details import Address, Contact, Details
from accounts.errors import Forbidden, NotFound
from accounts.models import BillingAccount, User

HIDDEN_LINES = ("line1", "line2", "city", "region", "postal_code")


def masked_email(person: User) -> str:
    """`a***@acme.example`; an address of staff as it is."""
    return person.email if person.is_staff else masked_address(person.email)


def masked_name(person: User) -> str:
    """`A. M.`; a name of staff as it is."""
    return person.display_name if person.is_staff else initials(person.display_name)


def masked_address(email: str) -> str:
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}***@{domain}"


def initials(name: str) -> str:
    return " ".join(f"{word[0].upper()}." for word in name.split())


def masked_value(text: str) -> str:
    """`•••89`: enough of a number to compare by its end; nothing of a short one."""
    return f"•••{text[-2:]}" if len(text) > 4 else "•••"


def masked_term(term: str) -> str:
    """What somebody searched for, fit to be kept: addresses are masked."""
    name, at, domain = term.rpartition("@")
    return f"{name[:1]}***@{domain}" if at else term


def masked_details(details: Details) -> Details:
    """Billing details as they are shown unasked: of an address, the country alone."""
    contact, address = details.contact, details.address
    return Details(
        contact and Contact(masked_address(contact.email), initials(contact.name), initials(contact.business_name)),
        tuple(masked_address(email) for email in details.invoice_emails),
        address and Address(address.country, **{name: "•••" for name in HIDDEN_LINES if getattr(address, name)}),
        tuple((type_, masked_value(value)) for type_, value in details.tax_ids),
    )


def show_details(account_id: int, *, by: User, page: str, at: datetime) -> BillingAccount:
    """An account whose billing details `by` may now see on one page, once; audited as show. Raises as show."""
    if not staff_roles.may(by, "identify"):
        raise Forbidden("your role does not let you see who people are")
    account = BillingAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound("no such billing account", field="billing_account")
    subject, seen = ("billing_account", account.pk), {"page": page[:400]}
    record(actor_of(by), "personal_data.show_details", subject=subject, account=account, at=at, after=seen)
    return account


def show(person_id: int, *, by: User, page: str, at: datetime) -> User:
    """A person whose name and address `by` may now see on one page, once; the audit row says whose and where.

    In the caller's transaction. Raises Forbidden (viewers), NotFound.
    """
    if not staff_roles.may(by, "identify"):
        raise Forbidden("your role does not let you see who people are")
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound("no such person", field="person")
    record(actor_of(by), "personal_data.show", subject=("user", person.pk), at=at, after={"page": page[:400]})
    return person
