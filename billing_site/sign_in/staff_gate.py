"""Staff without a second factor reach the pages that give them one, and nothing else."""

from collections.abc import Callable
from urllib.parse import urlencode

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.api.problems import MEDIA_TYPE, problem
from billing_site.sign_in.session_factors import has_second_factor

OF_PROGRAMS = ("/api/", "/allocations")
OPEN = ("/sign-in/", "/static/", "/healthz", "/readyz", "/metrics", "/admin/logout/")


class StaffGateMiddleware:
    """Looks at the session alone; the database is asked only for whom it turns away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(OPEN) or settings.SECOND_FACTOR_WAIVED:
            return self.get_response(request)
        if request.user.is_authenticated and request.user.is_staff and not has_second_factor(request):
            return _turned_away(request)
        return self.get_response(request)


def _turned_away(request: HttpRequest) -> HttpResponseBase:
    if request.path_info.startswith(OF_PROGRAMS):
        body = problem(403, "second_factor_required", "staff sign in with a second factor")
        return JsonResponse(body, status=403, content_type=MEDIA_TYPE)
    if is_mfa_enabled(request.user):  # a session from before the factor was enrolled elsewhere
        logout(request)
        return _to("account_login", request)
    return _to("mfa_activate_totp", request)


def _to(name: str, request: HttpRequest) -> HttpResponseRedirect:
    onward = request.get_full_path() if request.method == "GET" else reverse("home")
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': onward})}")
