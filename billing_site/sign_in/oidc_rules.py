"""Whose log-in an OIDC log-in is: by (issuer, subject); at the first by a verified address; else nobody's."""

from typing import Any

import structlog
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect, render

from accounts import clock
from accounts.audit import person, record
from accounts.models import User
from billing_site.sign_in import token_identities

log = structlog.stdlib.get_logger("billing_site.sign_in")


class OidcRules(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Link a first log-in to the person with that verified address, or refuse; unknown ones may be opened."""
        if sociallogin.is_existing:
            return
        if known := token_identities.person_of(*_named(sociallogin)):
            sociallogin.connect(request, known)
            return
        address = _verified_address(sociallogin)
        if not address:
            raise _refused(request, "unverified_address")
        user = User.objects.filter(email=address).first()
        if user is None:
            if not sociallogin.provider.app.settings.get("sign_up", True):
                raise _refused(request, "unknown_person")
            return
        if not _may_be_linked(user, sociallogin):
            raise _refused(request, "address_taken")
        with transaction.atomic():
            sociallogin.connect(request, user)
            _note("identity.link", user, sociallogin)

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True  # pre_social_login has refused whom it does not open

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = sociallogin.user
        user.email = str(data.get("email") or "").lower()
        user.display_name = str(data.get("name") or "")[:256]
        return user

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: object = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        _note("identity.open", user, sociallogin)
        return user

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, **told: Any) -> None:
        """Said in our own page; what went wrong at the issuer is for the log."""
        if error == AuthError.CANCELLED:
            messages.info(request, "You did not sign in.")
            raise ImmediateHttpResponse(redirect("account_login"))
        log.warning("oidc_failed", provider=provider.app.provider_id, fault=str(told.get("exception") or error))
        raise _refused(request, "failed", status=401)


def _note(action: str, user: User, sociallogin: SocialLogin) -> None:
    """In the audit, and for the tokens that the same issuer may sign for the same person."""
    at = clock.now()
    token_identities.remember(*_named(sociallogin), user, at=at)
    after = {"issuer": sociallogin.account.provider}
    record(person(user), action, subject=("user", user.pk), at=at, after=after)


def _named(sociallogin: SocialLogin) -> tuple[str, str]:
    claims = sociallogin.account.extra_data["id_token"]
    return claims["iss"], claims["sub"]


def _verified_address(sociallogin: SocialLogin) -> str:
    """The address the issuer vouches for, as far as it may speak for that domain."""
    domains = sociallogin.provider.app.settings.get("email_domains") or []
    for address in sociallogin.email_addresses:
        email = str(address.email).lower()
        if address.verified and (not domains or email.rpartition("@")[2] in domains):
            return email
    return ""


def _may_be_linked(user: User, sociallogin: SocialLogin) -> bool:
    """An address that was handed to somebody else has another subject; one never proved here could be a trap."""
    others = SocialAccount.objects.filter(user_id=user.pk, provider=sociallogin.account.provider)
    unproved = EmailAddress.objects.filter(user_id=user.pk, verified=False)
    return not others.exists() and not unproved.exists()


def _refused(request: HttpRequest, why: str, *, status: int = 403) -> ImmediateHttpResponse:
    if why != "failed":
        log.warning("oidc_refused", reason=why)
    return ImmediateHttpResponse(render(request, "sign_in/oidc_refused.html", {"why": why}, status=status))
