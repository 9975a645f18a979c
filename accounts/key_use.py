"""A key that was sent: which one it is, why it is refused, and that it was used."""

from datetime import datetime, timedelta

from django.db import connection

from accounts import key_text
from accounts.errors import DomainError
from accounts.models import ApiKey

NOTED_EVERY = timedelta(minutes=1)
# A row that somebody else is writing is left alone: to be noted is never worth a wait.
_NOTE = """
UPDATE api_keys SET last_used_at = %(at)s WHERE id = (
    SELECT id FROM api_keys WHERE id = %(key)s AND revoked_at IS NULL
        AND (last_used_at IS NULL OR last_used_at <= %(stale)s)
    FOR NO KEY UPDATE SKIP LOCKED)
"""


class KeyRefused(DomainError):
    """`code` is one of token_invalid, token_expired, key_revoked."""

    code = "token_invalid"
    status = 401


def key_of(text: str, *, at: datetime) -> ApiKey:
    """The key whose text was sent. Only who knows its secret learns that it is revoked. Raises KeyRefused."""
    sent = key_text.read(text)
    if sent is None:
        raise KeyRefused("the key is not valid")
    key = ApiKey.objects.filter(pk=sent.key_id).first()
    if not key_text.fits(sent, key) or key is None:
        raise KeyRefused("the key is not valid")
    if key.revoked_at is not None:
        raise KeyRefused("the key is revoked", code="key_revoked")
    if key.expires_at <= at:
        raise KeyRefused("the key has expired", code="token_expired")
    return key


def note(key: ApiKey, *, at: datetime) -> None:
    """Keep when a key was used, at most once a minute."""
    stale = at - NOTED_EVERY
    if key.last_used_at is None or key.last_used_at <= stale:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, {"at": at, "stale": stale, "key": key.pk})
