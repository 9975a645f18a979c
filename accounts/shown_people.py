"""Which person a request may show, and the ticket of the button that asks for it: one person, one page, one reader."""

from django.core import signing
from django.http import HttpRequest

from accounts.errors import FormTokenUsed
from accounts.models import User

FIELD = "show_person"
_SALT = "show-person"
_SHOWN = "_shown_person"
_MAXIMUM_AGE_SECONDS = 12 * 3600


def ticket(person: User, request: HttpRequest) -> str:
    return signing.dumps([person.pk, request.path, request.user.pk], salt=_SALT)


def read_ticket(text: str, request: HttpRequest) -> int:
    """The person it was issued for. Raises FormTokenUsed where it is stale, forged, or of another page or reader."""
    try:
        key, path, reader = signing.loads(text, salt=_SALT, max_age=_MAXIMUM_AGE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        raise FormTokenUsed("the page is stale; open it again") from None
    if (path, reader) != (request.path, request.user.pk):
        raise FormTokenUsed("the page is stale; open it again")
    return int(key)


def mark(request: HttpRequest, key: int) -> None:
    request.__dict__[_SHOWN] = key


def is_shown(request: HttpRequest, person: User) -> bool:
    return request.__dict__.get(_SHOWN) == person.pk
