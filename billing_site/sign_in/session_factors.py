"""How the person of this session proved who they are, as allauth notes it in the session: no query is asked."""

import time
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.http import HttpRequest

from billing_site.sign_in.codes import LAST

SECOND = "mfa"


def has_second_factor(request: HttpRequest) -> bool:
    return any(proof["method"] == SECOND for proof in get_authentication_records(request, request.user))


def connect() -> None:
    authenticator_added.connect(_proved_by_enrolling, dispatch_uid="billing_site.sign_in.added")
    authenticator_removed.connect(_nothing_proved_any_more, dispatch_uid="billing_site.sign_in.removed")


def _proved_by_enrolling(request: HttpRequest, user: Any, authenticator: Authenticator, **_: object) -> None:
    """Enrolling asks for a code of the new factor, which is spent by that."""
    if authenticator.type == Authenticator.Type.TOTP:
        authenticator.data[LAST] = int(time.time()) // app_settings.TOTP_PERIOD
        authenticator.save(update_fields=["data"])
        record_authentication(request, user, SECOND, id=authenticator.pk, type=authenticator.type)


def _nothing_proved_any_more(request: HttpRequest, authenticator: Authenticator, **_: object) -> None:
    kept = [proof for proof in get_authentication_records(request, request.user) if proof["method"] != SECOND]
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = kept
