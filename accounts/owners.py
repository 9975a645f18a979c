"""The person an organization is opened for, or lets in: found by their address, or added, to sign in once they may."""

from django.db import transaction

from accounts.addresses import check_email
from accounts.errors import Conflict, constraints
from accounts.models import User


def find(email: str, *, field: str = "owner") -> User | None:
    """The person of that address, if we know them. Raises EmailInvalid."""
    return User.objects.filter(email=check_email(email, field=field).lower()).first()


def find_or_add(email: str, *, field: str = "owner") -> User:
    """The person of that address; a new one has no password. Raises EmailInvalid, Conflict (added meanwhile)."""
    meanwhile = Conflict("somebody added that person this moment; try again", field=field)
    with constraints({"users_email_key": meanwhile}), transaction.atomic():
        return find(email, field=field) or User.objects.create_user(email)
