"""Whom a request may show, and the ticket of the button that asks for it: one subject, one page, one reader.

A subject is a person, or an account whose billing details are asked for.
"""

from django.core import signing
from django.http import HttpRequest

from accounts.errors import FormTokenUsed
from accounts.models import BillingAccount, User

FIELD = "show_person"
_SALT = "show-person"
_SHOWN = "_shown_person"
_MAXIMUM_AGE_SECONDS = 12 * 3600


def ticket(subject: User | BillingAccount, request: HttpRequest) -> str:
    """A person, or an account whose billing details are meant."""
    return signing.dumps([*named(subject), request.path, request.user.pk], salt=_SALT)


def read_ticket(text: str, request: HttpRequest) -> tuple[str, int]:
    """Kind and key it was issued for. Raises FormTokenUsed where it is stale, forged, or of another page or reader."""
    try:
        kind, key, path, reader = signing.loads(text, salt=_SALT, max_age=_MAXIMUM_AGE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        raise FormTokenUsed("the page is stale; open it again") from None
    if (path, reader) != (request.path, request.user.pk):
        raise FormTokenUsed("the page is stale; open it again")
    return str(kind), int(key)


def mark(request: HttpRequest, shown: tuple[str, int]) -> None:
    request.__dict__[_SHOWN] = shown


def is_shown(request: HttpRequest, subject: User | BillingAccount) -> bool:
    return bool(request.__dict__.get(_SHOWN) == named(subject))


def named(subject: User | BillingAccount) -> tuple[str, int]:
    """Kind and key."""
    return ("user" if isinstance(subject, User) else "billing_account"), subject.pk
