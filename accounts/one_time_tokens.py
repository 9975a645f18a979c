"""One-time form tokens: a form's act happens at most once, however often its button is pressed."""

import secrets
from datetime import datetime

from django.core import signing

from accounts.errors import FormTokenUsed
from accounts.models import UsedFormToken, User

MAXIMUM_AGE_SECONDS = 3600


def issue(user: User, purpose: str) -> str:
    """A token for one use, by one user, for one purpose, within an hour."""
    return signing.dumps([secrets.token_urlsafe(24), user.pk, purpose], salt="one-time-form")


def spend(token: str, user: User, purpose: str, *, at: datetime) -> None:
    """Spend the token in the caller's transaction. Raises FormTokenUsed where it is spent, stale or foreign."""
    try:
        nonce, user_id, wanted = signing.loads(token, salt="one-time-form", max_age=MAXIMUM_AGE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        raise FormTokenUsed("the form is stale; open it again") from None
    if (user_id, wanted) != (user.pk, purpose):
        raise FormTokenUsed("the form is stale; open it again")
    _, created = UsedFormToken.objects.get_or_create(
        nonce=nonce, defaults={"user": user, "purpose": purpose, "used_at": at}
    )
    if not created:
        raise FormTokenUsed("this was already done; nothing was done twice")
