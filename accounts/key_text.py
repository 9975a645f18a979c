"""An API key as text: `ch_live_<id>_<secret>`. Only the hash of the secret is ever kept."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from django.conf import settings

from accounts.models import ApiKey
from accounts.public_ids import decode

FAMILY = "ch_"
_SECRET_BYTES = 32  # drawn at random, so one round of SHA-256 is enough: there is nothing to guess
_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class KeyText:
    """What a key that was sent says. Its secret shows in no representation."""

    key_id: int
    secret: str = field(repr=False)


class ShownOnce(str):
    """A whole key. What shows values for debugging, a page's context or a frame, does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'ch_…'"


def new_secret() -> str:
    return secrets.token_hex(_SECRET_BYTES)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def head(key: ApiKey) -> str:
    """The part of a key that may be shown, and by which its holder knows it again."""
    return f"{FAMILY}{_site()}_{key.public_id.removeprefix('key_')}"


def write(key: ApiKey, secret: str) -> ShownOnce:
    return ShownOnce(f"{head(key)}_{secret}")


def read(text: str) -> KeyText | None:
    """None where the text is no key of this site: a live key says nothing to a test site."""
    parts = text.split("_")
    if len(parts) != 4 or f"{parts[0]}_" != FAMILY or parts[1] != _site():
        return None
    key_id = decode(ApiKey.PUBLIC_PREFIX, f"{ApiKey.PUBLIC_PREFIX}_{parts[2]}")
    return None if key_id is None or not parts[3].isascii() else KeyText(key_id, parts[3])


def fits(sent: KeyText, key: ApiKey | None) -> bool:
    """Whether the secret is the key's, in a time that tells nothing about it."""
    kept = _NOBODY if key is None else key.secret_sha256
    return hmac.compare_digest(hashed(sent.secret), kept) and key is not None


def _site() -> str:
    return "live" if settings.ENVIRONMENT == "live" else "test"
