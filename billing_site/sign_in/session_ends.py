"""A session ends when nobody uses it for a while, and after a day's work in any case. Use renews it now and then."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import clock

BEGUN, RENEWED = "begun", "renewed"
RENEWAL_SECONDS = 300  # a session is written no oftener


class SessionEndsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if SESSION_KEY in request.session:
            _end_or_renew(request, int(clock.now().timestamp()))
        return self.get_response(request)


def connect() -> None:
    user_logged_in.connect(_begin, dispatch_uid="billing_site.sign_in.session")


def _begin(request: HttpRequest, **_: object) -> None:
    request.session[BEGUN] = request.session[RENEWED] = int(clock.now().timestamp())


def _end_or_renew(request: HttpRequest, now: int) -> None:
    begun, renewed = request.session.get(BEGUN, 0), request.session.get(RENEWED, 0)
    if now - begun >= settings.SESSION_LONGEST_SECONDS or now - renewed >= settings.SESSION_COOKIE_AGE:
        logout(request)
    elif now - renewed >= RENEWAL_SECONDS:
        request.session[RENEWED] = now
