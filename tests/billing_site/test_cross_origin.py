"""A console at another origin reaches the console's calls from a browser, and nothing else of ours."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import Cast

CONSOLE = "https://console.stage.kube-dc.example"
PREFLIGHT = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(autouse=True)
def named(settings: Any, db: None) -> None:
    settings.CONSOLE_ORIGINS = frozenset({CONSOLE})


def options(origin: str, path: str = "/api/billing/config", **headers: str) -> Any:
    return Client().options(path, headers={"Origin": origin, **headers})


def test_a_console_that_is_named_may_ask_with_its_token(cast: Cast) -> None:
    preflight = options(CONSOLE, **PREFLIGHT)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight.headers["Access-Control-Allow-Origin"] == CONSOLE
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    refused = Client().get("/api/billing/config", headers={"Origin": CONSOLE})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, CONSOLE)
    assert "Origin" in refused.headers["Vary"]
    for answer in (preflight, refused):
        assert "Access-Control-Allow-Credentials" not in answer.headers  # cookies are for our own pages


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", f"{CONSOLE}.evil.example", "http://localhost"])
def test_nobody_else_is_told_anything(origin: str) -> None:
    for answer in (options(origin, **PREFLIGHT), Client().get("/api/billing/config", headers={"Origin": origin})):
        assert answer.status_code in (401, 404)
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/api/v1/me", "/admin/login/", "/healthz"])
def test_no_other_address_is_open_to_consoles(path: str) -> None:
    answer = options(CONSOLE, path, **PREFLIGHT)
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_without_an_origin_nothing_changes(settings: Any) -> None:
    settings.CONSOLE_ORIGINS = frozenset()
    answer = options(CONSOLE, **PREFLIGHT)
    assert answer.status_code == 404
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
