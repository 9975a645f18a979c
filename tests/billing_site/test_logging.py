"""001-42: LOG_LEVEL honoured; WARN on 401/403, ERROR on failures, bodies only at DEBUG in development.

Each matrix plants canaries in every place a request has, and reads what the site's own handler wrote.
"""

import asyncio
import io
import json
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from celery import Celery
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import include, path

from accounts import correlation
from billing_site.logging import connect_celery, dict_config

ROOT = Path(__file__).resolve().parents[2]
CARD = "4242 4242 4242 4242"
CANARIES = {
    "authorization": "cnry-bearer-7d1f",
    "cookie": "cnry-cookie-88a2",
    "query": "cnry-query-51c0",
    "body": "cnry-body-93be",
    "password": "cnry-password-0c4e",
    "answer": "cnry-answer-e6f7",
    "raised": "sk_live_cnryraised123",
    "token": "cnry-token-aa10",
}

log = structlog.stdlib.get_logger("tests.views")


def answers(_request: HttpRequest, status: int) -> HttpResponse:
    return JsonResponse({"note": CANARIES["answer"]}, status=status)


def raises(_request: HttpRequest) -> HttpResponse:
    raise ValueError(f'key {CANARIES["raised"]} card {CARD}\n{{"event": "forged"}}')


def denies(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied(CANARIES["raised"])


def takes_token(_request: HttpRequest, reset_token: str) -> HttpResponse:
    return HttpResponse(reset_token)


def says(request: HttpRequest) -> HttpResponse:
    log.info("said", words=request.GET["words"])
    return HttpResponse(correlation.current_correlation_id())


async def says_later(request: HttpRequest) -> HttpResponse:
    before = correlation.current_correlation_id()
    await asyncio.sleep(0.02)
    log.info("said", words=request.GET["words"])
    assert correlation.current_correlation_id() == before
    return HttpResponse(before)


urlpatterns = [
    path("answers/<int:status>", answers),
    path("raises", raises),
    path("denies", denies),
    path("reset/<str:reset_token>", takes_token),
    path("says", says),
    path("says-later", says_later),
    path("", include("billing_site.urls")),
]


class Written:
    """What was written while a `site_log` was open."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def named(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.events if line["event"] == event]


@contextmanager
def site_log(level: str = "INFO", *, debug: bool = False, readable: bool = False) -> Iterator[Written]:
    """The site's logging as settings build it, at a level, with its handler writing to memory."""
    with override_settings(LOG_LEVEL=level, DEBUG=debug, ROOT_URLCONF=__name__):
        logging.config.dictConfig(dict_config(level, readable=readable))
        (handler,) = logging.getLogger().handlers
        assert isinstance(handler, logging.StreamHandler)
        stream = io.StringIO()
        handler.setStream(stream)
        try:
            yield Written(stream)
        finally:
            logging.config.dictConfig(settings.LOGGING)


def send_matrix() -> None:
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = CANARIES["cookie"]
    headers = {
        "authorization": f"Bearer {CANARIES['authorization']}",
        "x-request-id": "req-1",
        "x-card": CARD,
    }
    form = {"note": CANARIES["body"], "password": CANARIES["password"], "card": CARD}
    places = [f"/answers/{status}" for status in (200, 204, 302, 400, 401, 403, 404, 409, 422, 500, 502, 503)]
    for place in [*places, "/raises", "/denies", "/nowhere", f"/reset/{CANARIES['token']}"]:
        url = f"{place}?note={CANARIES['query']}&card=4242424242424242"
        client.get(url, headers=headers)
        client.post(url, form, headers=headers)
        client.post(url, form, content_type="application/json", headers=headers)


def canaries_in(text: str) -> set[str]:
    found = {name for name, canary in CANARIES.items() if canary in text}
    if CARD in text or CARD.replace(" ", "") in text:
        found.add("card")
    return found


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_no_canary_reaches_the_log_at_any_level_in_production(level: str) -> None:
    with site_log(level) as written:
        send_matrix()
    assert len(written.events) >= 12, "the matrix must have left its lines"
    assert canaries_in(written.text) == set()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("DEBUG", {"info", "warning", "error"}),
        ("INFO", {"info", "warning", "error"}),
        ("WARNING", {"warning", "error"}),
        ("ERROR", {"error"}),
    ],
)
def test_the_level_is_honoured(level: str, expected: set[str]) -> None:
    with site_log(level) as written:
        send_matrix()
    assert {line["level"] for line in written.events if line["logger"] == "billing_site.requests"} == expected


def test_a_host_that_is_not_ours_is_a_refusal_and_no_failure() -> None:
    with site_log() as written:
        assert Client().get("/answers/200", headers={"host": "scanner.example"}).status_code == 400
    (refused,) = [line for line in written.events if line["logger"] == "django.security.DisallowedHost"]
    assert refused["level"] == "warning"
    assert "exception" not in refused


def test_refusals_warn_failures_are_errors_and_the_rest_informs() -> None:
    with site_log() as written:
        send_matrix()
    levels = {(line["status"], line["level"]) for line in written.events if line["logger"] == "billing_site.requests"}
    assert levels == {
        *((status, "info") for status in (200, 204, 302, 400, 404, 409, 422)),
        *((status, "warning") for status in (401, 403)),
        *((status, "error") for status in (500, 502, 503)),
    }


@pytest.mark.parametrize(("level", "debug"), [("INFO", True), ("DEBUG", False)])
def test_bodies_need_both_the_level_and_development(level: str, debug: bool) -> None:
    with site_log(level, debug=debug) as written:
        send_matrix()
    assert written.named("request_body") == written.named("response_body") == []
    assert canaries_in(written.text).isdisjoint({"body", "answer", "password", "card"})


def test_in_development_at_debug_bodies_are_there_and_their_secrets_are_not() -> None:
    with site_log("DEBUG", debug=True) as written:
        send_matrix()
    bodies = [line["body"] for line in written.named("request_body")]
    assert {"note": CANARIES["body"], "password": "[masked]", "card": "[masked]"} in bodies
    assert {"note": CANARIES["answer"]} in [line["body"] for line in written.named("response_body")]
    assert canaries_in(written.text).isdisjoint({"password", "card", "authorization", "cookie", "raised"})


def test_a_failure_has_its_traceback_once_with_the_request_id_and_forges_no_line() -> None:
    with site_log() as written:
        Client(raise_request_exception=False).get("/raises", headers={"x-request-id": "req-9"})
    (traceback,) = [line for line in written.events if "exception" in line]
    assert "ValueError" in traceback["exception"]
    assert traceback["request_id"] == traceback["correlation_id"] == "req-9"
    assert [line["event"] for line in written.events if line["logger"] == "billing_site.requests"] == ["request_failed"]
    assert written.named("forged") == []


def test_a_token_in_the_path_is_masked() -> None:
    with site_log() as written:
        Client().get(f"/reset/{CANARIES['token']}")
    assert written.named("request_finished")[0]["path"] == "/reset/[masked]"


@pytest.mark.parametrize("given", ["req-1", "0a.b_c:d-E", "x" * 64])
def test_a_safe_request_id_is_kept_and_returned(given: str) -> None:
    with site_log() as written:
        response = Client().get("/says?words=hello", headers={"x-request-id": given})
    assert response.headers["X-Request-ID"] == response.content.decode() == given
    assert {(line["request_id"], line["correlation_id"]) for line in written.events} == {(given, given)}


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "<script>", "é", "-x", 'a"b', "a;b"])
def test_an_unsafe_request_id_is_replaced(given: str) -> None:
    with site_log() as written:
        response = Client().get("/says?words=hello", headers={"x-request-id": given})
    made = response.headers["X-Request-ID"]
    assert made != given
    assert correlation.is_safe(made)
    assert {line["request_id"] for line in written.events} == {made}


def test_a_refused_answer_has_its_id_too() -> None:
    with site_log():
        response = Client().get("/denies")
    assert response.status_code == 403
    assert correlation.is_safe(response.headers["X-Request-ID"])


@pytest.mark.parametrize("separator", ["%0a", "%0d%0a", "%0d", "%e2%80%a8", "%c2%85", "%1b%5b2K", "%00"])
@pytest.mark.parametrize("readable", [True, False])
def test_words_of_a_caller_cannot_start_a_line(separator: str, readable: bool) -> None:
    with site_log(readable=readable) as written:
        Client().get(f"/says?words=x{separator}2026-01-01T00:00:00Z+[error]+forged")
        Client().get(f"/nowhere/x{separator}forged")
    lines = [line for line in written.text.splitlines() if "forged" in line]
    assert lines
    assert not any(line.startswith(("2026-01-01", "forged")) for line in lines)
    assert "\x1b[2K" not in written.text


def test_readable_tracebacks_keep_their_lines_marked() -> None:
    with site_log(readable=True) as written:
        Client(raise_request_exception=False).get("/raises")
    forged = [line for line in written.text.splitlines() if "forged" in line]
    assert forged
    assert all(line.startswith("  | ") for line in forged)


def test_requests_side_by_side_keep_their_ids_apart() -> None:
    async def ask_all() -> list[str]:
        client = AsyncClient()
        answers = await asyncio.gather(
            *(client.get(f"/says-later?words={n}", headers={"x-request-id": f"req-{n}"}) for n in range(8))
        )
        return [answer.content.decode() for answer in answers]

    with site_log() as written:
        assert asyncio.run(ask_all()) == [f"req-{n}" for n in range(8)]
    assert {(line["words"], line["request_id"]) for line in written.named("said")} == {
        (str(n), f"req-{n}") for n in range(8)
    }


def test_nothing_stays_bound_after_a_request() -> None:
    with site_log(), correlation.bind("outer"):
        Client().get("/says?words=x", headers={"x-request-id": "inner"})
        assert correlation.current_correlation_id() == "outer"
        assert structlog.contextvars.get_contextvars() == {}


def test_a_task_runs_under_its_id_and_gives_the_outer_one_back() -> None:
    connect_celery()
    app = Celery("tests", set_as_current=False)
    seen = []

    @app.task(name="tests.looks")
    def looks(fail: bool) -> None:
        seen.append(correlation.current_correlation_id())
        log.info("looked")
        if fail:
            raise ValueError("planned")

    with site_log() as written, correlation.bind("outer"):
        looks.apply([False], task_id="task-1")
        looks.apply([True], task_id="task-2")
        assert correlation.current_correlation_id() == "outer"
    assert seen == ["task-1", "task-2"]
    assert [(line["task"], line["correlation_id"]) for line in written.named("looked")] == [
        ("tests.looks", "task-1"),
        ("tests.looks", "task-2"),
    ]


def run_site(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_site.settings", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_a_started_process_writes_json_on_standard_error_and_leaves_standard_output_alone() -> None:
    ran = run_site(
        "import logging, structlog\n"
        "log = structlog.stdlib.get_logger('room')\n"
        "log.info('quiet'); log.warning('loud', amount_minor=12)\n"
        "logging.getLogger('library').warning('password=%s', 'cnry')",
        LOG_LEVEL="WARNING",
    )
    assert ran.stdout == ""
    loud, library = (json.loads(line) for line in ran.stderr.splitlines())
    assert (loud["event"], loud["amount_minor"], loud["level"], loud["logger"]) == (
        "loud",
        12,
        "warning",
        "room",
    )
    assert library["event"] == "password=[masked]"
