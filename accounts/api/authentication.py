"""Who calls: a key or a token in `Authorization: Bearer …`, or a person's session. Each gives (principal, Caller)."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import structlog
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as CookieAuthentication
from rest_framework.request import Request

from accounts import caller_of, clock, key_text, key_use
from accounts.api import auth_failures
from accounts.callers import Caller
from accounts.errors import DomainError
from accounts.models import User
from accounts.oidc import bearers, tokens
from accounts.oidc.claims import TokenRefused

log = structlog.stdlib.get_logger("accounts.api")

REALM = 'Bearer realm="countinghouse"'
_SCHEME = "Bearer "


@dataclass(frozen=True)
class Program:
    """What `request.user` is where a key calls. Nobody signed in: django-simple-history would otherwise put it down as
    the person who changed a row."""

    public_id: str
    is_authenticated: ClassVar[bool] = False
    is_anonymous: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    pk: ClassVar[None] = None


Principal = User | Program


class Refused(exceptions.APIException):
    """A caller who is known, or cannot be known now, and is turned away."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.detail, error.code)
        self.status_code = error.status


class BearerAuthentication(BaseAuthentication):
    """An API key or a token of a known issuer, told apart by how a key begins. What is sent wrong is never passed over
    in favour of a session."""

    def authenticate(self, request: Request) -> tuple[Principal, Caller] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        try:
            return _bearer(header, at=clock.now())
        except DomainError as error:
            raise _turned_away(error) from error

    def authenticate_header(self, request: Request) -> str:
        return REALM


class SessionAuthentication(CookieAuthentication):
    """Whoever signed in with the browser; what changes anything must come from our own pages."""

    def authenticate(self, request: Request) -> tuple[Principal, Caller] | None:
        found = super().authenticate(request)
        return None if found is None else (found[0], caller_of.of_user(found[0]))

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied:
            auth_failures.count("csrf_failed")
            raise exceptions.PermissionDenied("the form's token is missing or wrong", code="csrf_failed") from None

    def authenticate_header(self, request: Request) -> str:
        return REALM


def _bearer(header: str, *, at: datetime) -> tuple[Principal, Caller]:
    text = header.removeprefix(_SCHEME)
    if text == header or not text or not text.isascii() or " " in text or not text.isprintable():
        raise TokenRefused("send Authorization: Bearer, one space, and the token")
    if text.startswith(key_text.FAMILY):
        key = key_use.key_of(text, at=at)
        key_use.note(key, at=at)
        return Program(key.public_id), caller_of.of_key(key)
    caller = bearers.caller(tokens.verified(text), at=at)
    assert caller.user is not None  # noqa: S101 - tokens are borne by people
    return caller.user, caller


def _turned_away(error: DomainError) -> exceptions.APIException:
    auth_failures.count(error.code)
    log.warning("caller_refused", code=error.code)
    if error.status == 401:
        return exceptions.AuthenticationFailed(error.detail, error.code)
    return Refused(error)
