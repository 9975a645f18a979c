"""Every request has an id: on its log lines, on the rows it writes, and in its answer."""

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts import correlation
from billing_site import request_metrics
from billing_site.scrubbing import MASK, names_a_secret

log = structlog.stdlib.get_logger("billing_site.requests")

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
LONGEST_BODY = 16_384

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class RequestContextMiddleware:
    """Takes X-Request-ID where it is a safe token, makes one otherwise, and logs one line per request."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        if self.is_async:
            return self._acall(request)
        with _bound(request) as request_id:
            started = time.monotonic()
            _log_request_body(request)
            response = cast(HttpResponseBase, self.get_response(request))
            return _finish(request, response, request_id, started)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        with _bound(request) as request_id:
            started = time.monotonic()
            _log_request_body(request)
            response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
            return _finish(request, response, request_id, started)


@contextmanager
def _bound(request: HttpRequest) -> Iterator[str]:
    given = request.headers.get("X-Request-ID", "")
    with correlation.bind(given if correlation.is_safe(given) else None) as request_id:
        request.META["REQUEST_ID"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            yield request_id


def _finish(request: HttpRequest, response: HttpResponseBase, request_id: str, started: float) -> HttpResponseBase:
    response["X-Request-ID"] = request_id
    seconds = time.monotonic() - started
    facts: dict[str, Any] = {
        "method": request.method,
        "path": _path(request),
        "status": response.status_code,
        "duration_ms": round(seconds * 1000, 1),
    }
    match = request.resolver_match
    if match is not None:
        facts["route"] = match.route
    if request.path not in PROBES:
        request_metrics.observe(request.method, match.route if match else None, response.status_code, seconds)
    # The user as far as the view has asked for it: logging must not cost a query.
    user = getattr(request, "_cached_user", None)
    if user is not None and user.pk is not None:
        facts["user_id"] = user.pk
    if response.status_code >= 500:
        log.error("request_failed", **facts)
    elif response.status_code in (401, 403):
        log.warning("request_refused", **facts)
    elif request.path in PROBES:
        log.debug("request_finished", **facts)
    else:
        log.info("request_finished", **facts)
    _log_response_body(response)
    return response


def _path(request: HttpRequest) -> str:
    """The path, without the values that the route itself calls a token or a secret."""
    path = request.path
    if request.resolver_match is not None:
        for name, value in request.resolver_match.kwargs.items():
            # The `key` that is text is that of a link for a new password.
            if names_a_secret(name) or (name == "key" and isinstance(value, str)):
                path = path.replace(str(value), MASK)
    return path


def _bodies_are_logged() -> bool:
    return bool(settings.DEBUG) and settings.LOG_LEVEL == "DEBUG"


def _log_request_body(request: HttpRequest) -> None:
    if not _bodies_are_logged():
        return
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and 0 < int(length) <= LONGEST_BODY:
        log.debug("request_body", body=_parsed(request.body, request.content_type or ""))


def _log_response_body(response: HttpResponseBase) -> None:
    if not _bodies_are_logged() or not isinstance(response, HttpResponse):
        return
    if 0 < len(response.content) <= LONGEST_BODY:
        log.debug("response_body", body=_parsed(response.content, response.headers.get("Content-Type", "")))


def _parsed(body: bytes, content_type: str) -> Any:
    """The body as names and values, so that the scrubber can mask by name; an unreadable kind is left out."""
    kind = content_type.split(";")[0].strip().lower()
    text = body.decode("utf-8", "replace")
    if kind == "application/x-www-form-urlencoded":
        return parse_qs(text, keep_blank_values=True)
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text if kind == "text/plain" else f"<{len(body)} bytes of {kind or 'unknown type'}>"
