"""Who a customer's people are: masked on every page of the back office, shown when staff ask, and the asking is kept.

Staff themselves are shown: finance people must know who asked and who decided.
"""

from datetime import datetime

from accounts import staff_roles
from accounts.audit import person as actor_of
from accounts.audit import record
from accounts.errors import Forbidden, NotFound
from accounts.models import User


def masked_email(person: User) -> str:
    """`a***@acme.example`; an address of staff as it is."""
    if person.is_staff:
        return person.email
    name, _, domain = person.email.rpartition("@")
    return f"{name[:1]}***@{domain}"


def masked_name(person: User) -> str:
    """`A. M.`; a name of staff as it is."""
    if person.is_staff:
        return person.display_name
    return " ".join(f"{word[0].upper()}." for word in person.display_name.split())


def masked_term(term: str) -> str:
    """What somebody searched for, fit to be kept: addresses are masked."""
    name, at, domain = term.rpartition("@")
    return f"{name[:1]}***@{domain}" if at else term


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
