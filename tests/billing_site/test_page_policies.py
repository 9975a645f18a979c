"""What every answer of the site carries, whoever asks and whatever the status: one snapshot for each kind of page."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from accounts.models import User
from tests.cast import PASSWORD, Cast

ROOT = Path(__file__).resolve().parents[2]
SELF, NONE = {"'self'"}, {"'none'"}
PAGE = {
    "default-src": SELF,
    "img-src": {"'self'", "data:"},
    "object-src": NONE,
    "base-uri": NONE,
    "form-action": SELF,
    "frame-ancestors": NONE,
}
INLINE_STYLE = {"'self'", "'unsafe-inline'"}
DATA = {"default-src": NONE, "base-uri": NONE, "form-action": NONE, "frame-ancestors": NONE}
SNAPSHOT: dict[str, dict[str, set[str]]] = {
    "/admin/": {**PAGE, "script-src": {"'self'", "'unsafe-eval'"}, "style-src": INLINE_STYLE},
    "/api/docs/": {**PAGE, "style-src": INLINE_STYLE},
    "/api/": DATA,
    "/healthz": DATA,
    "/readyz": DATA,
    "/metrics": DATA,
    "/": PAGE,
}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Views that change something without a CSRF token, and why.
CSRF_EXEMPT: dict[str, str] = {}


def routes(inside: Any = None, prefix: str = "") -> Iterator[tuple[str, Callable[..., HttpResponse]]]:
    """Every address of the site with its view; where it names a row, the first."""
    for pattern in (inside or get_resolver()).url_patterns:
        route = prefix + re.sub(r"<[^>]*>", "1", simplify_regex(str(pattern.pattern)).lstrip("/"))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield "/" + route, pattern.callback


def policy(response: Any) -> dict[str, set[str]]:
    header = response.headers["Content-Security-Policy"]
    return {name: set(sources) for name, *sources in (part.split() for part in header.split("; "))}


def expected(path: str) -> dict[str, set[str]]:
    return next(said for prefix, said in SNAPSHOT.items() if path.startswith(prefix))


@pytest.mark.usefixtures("back_office_scene")
@pytest.mark.long
def test_every_route_answers_with_the_headers_of_its_kind(cast: Cast) -> None:
    paths = [path for path, _ in routes()]
    assert len(paths) > 300
    root = Client(raise_request_exception=False)
    root.force_login(User.objects.create_superuser("root@countinghouse.example"))
    wrong = []
    for client in (Client(raise_request_exception=False), root):
        for path in [*paths, "/nowhere", "/admin/nowhere/", "/api/nowhere", "/api/docs/", "/static/nowhere.css"]:
            response = client.get(path)
            missing = {name for name, value in EVERYWHERE.items() if response.headers.get(name) != value}
            if missing or policy(response) != expected(path):
                wrong.append((path, response.status_code, missing, policy(response)))
    assert wrong == []


def test_a_file_carries_them_too(client: Client) -> None:
    response = client.get("/static/billing_site/back_office.css")
    assert response.status_code == 200
    assert policy(response) == PAGE
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_no_view_is_exempt_from_csrf_but_those_listed() -> None:
    """Views of the REST framework say they are exempt; its own log-in by session asks for the token."""
    exempt = {
        path
        for path, view in routes()
        if getattr(view, "csrf_exempt", False) and not issubclass(getattr(view, "cls", object), APIView)
    }
    assert exempt == set(CSRF_EXEMPT)


@pytest.mark.django_db
def test_a_post_without_its_token_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    for path in ("/sign-in/", "/sign-in/out/", "/sign-in/password/reset/", "/admin/logout/"):
        assert client.post(path, {"login": "a@b.example", "password": "b"}).status_code == 403


def test_cookies_are_kept_from_scripts_and_other_sites(cast: Cast, client: Client) -> None:
    page = client.get("/sign-in/")
    entered = client.post("/sign-in/", {"login": "alice@acme.example", "password": PASSWORD})
    for cookie in (page.cookies[settings.CSRF_COOKIE_NAME], entered.cookies[settings.SESSION_COOKIE_NAME]):
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["domain"] == ""


def production(**variables: str) -> dict[str, Any]:
    """The settings of a live site, read by a process of its own."""
    names = (
        *("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_SSL_REDIRECT", "SECURE_PROXY_SSL_HEADER"),
        *("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"),
    )
    program = f"from billing_site import settings; print({{name: getattr(settings, name) for name in {names!r}}})"
    live = {"ENVIRONMENT": "live", "SECRET_KEY": "a-key-of-this-test-alone", **variables}
    environment = {**os.environ, **live}
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return dict(eval(said.stdout))  # noqa: S307 (what the line above printed)


def test_outside_the_embedded_site_everything_is_over_tls() -> None:
    live = production()
    assert live["SECURE_HSTS_SECONDS"] == 31_536_000
    assert live["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert live["SECURE_SSL_REDIRECT"]
    assert live["SESSION_COOKIE_SECURE"]
    assert live["CSRF_COOKIE_SECURE"]
    assert (live["SESSION_COOKIE_NAME"], live["CSRF_COOKIE_NAME"]) == ("__Host-session", "__Host-csrf")


def test_the_word_of_a_proxy_counts_only_where_proxies_are_counted() -> None:
    assert production()["SECURE_PROXY_SSL_HEADER"] is None
    assert production(TRUSTED_PROXIES="1")["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert not production(SSL_REDIRECT="0")["SECURE_SSL_REDIRECT"]


@override_settings(SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=60)
def test_plain_http_is_sent_to_tls_but_for_probes(client: Client) -> None:
    assert client.get("/admin/login/").url == "https://testserver/admin/login/"  # type: ignore[attr-defined]
    assert client.get("/healthz").status_code == 200
    assert "max-age=60" in client.get("/healthz", secure=True).headers["Strict-Transport-Security"]
