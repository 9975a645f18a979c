"""Signing in as people do: the staff of the tests have a real second factor, and every session of theirs proves it."""

import base64
import hashlib
import time
from typing import Any

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client

from accounts.models import User

PERIOD = 30  # seconds
_signs_in = Client.force_login
_last: dict[tuple[str, str], int] = {}


def secret_of(email: str) -> str:
    """The same for an address in every test, so that a browser's test can tell it without asking the database."""
    return base64.b32encode(hashlib.sha256(email.encode()).digest()[:20]).decode()


def enrol(user: User) -> Authenticator:
    """An authenticator app, as its page enrols one."""
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    return found or TOTP.activate(user, secret_of(user.email)).instance


def code(secret: str, *, halves: int = 0) -> str:
    """What an app shows now, or some half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + halves))


def unused_code(secret: str, place: str = "") -> str:
    """A code that was not given before at that place; waits where all that are allowed now were."""
    while True:
        now = int(time.time()) // PERIOD
        for counter in range(max(now, _last.get((secret, place), 0) + 1), now + 2):
            _last[(secret, place)] = counter
            return format_hotp_value(hotp_value(secret, counter))
        time.sleep(1)


def force_login(client: Client, user: User, backend: str | None = None) -> None:
    """A session as the log-in page leaves it: by password, and for staff by a second factor that they have."""
    _signs_in(client, user, backend)
    at = time.time()
    proofs: list[dict[str, Any]] = [{"method": "password", "at": at, "email": user.email}]
    if user.is_staff:
        proofs.append({"method": "mfa", "at": at, "id": enrol(user).pk, "type": "totp"})
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = proofs
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()


def by_password_alone(client: Client, user: User) -> None:
    """A session without a second factor, as of somebody who has none."""
    _signs_in(client, user)
