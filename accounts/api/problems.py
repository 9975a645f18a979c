"""Refusals as RFC 9457 problems: a stable `code`, the faults by field, whether to try again, the request's id."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from accounts.correlation import current_correlation_id
from accounts.errors import DomainError

log = structlog.stdlib.get_logger("accounts.api")

MEDIA_TYPE = "application/problem+json"
# Codes of our own where the framework's words say too little to a program.
_CODES = {
    "not_authenticated": "token_required",
    "authentication_failed": "token_invalid",
    "permission_denied": "forbidden",
    "parse_error": "body_unreadable",
    "required": "field_required",
    "null": "field_null",
    "throttled": "rate_limited",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where: a JSON pointer into the body, or the name of a query parameter or header."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None


def problem(
    status: int, code: str, detail: str, *, faults: Iterable[Fault] = (), retryable: bool | None = None
) -> dict[str, Any]:
    """The body of a refusal."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": _sentence(detail),
        "errors": [{name: value for name, value in asdict(fault).items() if value is not None} for fault in faults],
        "retryable": status in (429, 503) if retryable is None else retryable,
        "request_id": current_correlation_id(),
    }


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None lets the error be a 500, which `server_error` words."""
    headers: dict[str, str] = {}
    match error:
        case DomainError():
            body = of_domain_error(error)
            headers = {"Retry-After": "1"} if error.retryable else {}
        case OperationalError() if _is_busy(error):
            log.warning("api_busy", detail=str(error).strip().splitlines()[0])
            body, headers = problem(503, "busy", "somebody else is writing to this; try again"), {"Retry-After": "1"}
        case Http404():
            body = problem(404, "not_found", "there is nothing here")
        case PermissionDenied():
            body = problem(403, "forbidden", str(error) or "that is not allowed")
        case RequestDataTooBig():
            body = problem(413, "body_too_large", "the body is too large")
        case SuspiciousOperation():
            body = problem(400, "bad_request", "the request cannot be read")
        case exceptions.APIException():
            body, headers = _of_framework(error)
        case _:
            return None
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def of_domain_error(error: DomainError) -> dict[str, Any]:
    """A refusal of ours; its field is a pointer into the body."""
    listed = [
        Fault(getattr(fault, "code", error.code), fault.reason, _pointer(fault.path))
        for fault in getattr(error, "faults", ())
    ]
    named = [Fault(error.code, error.detail, f"/{error.field}")] if error.field else []
    return problem(error.status, error.code, error.detail, faults=listed or named, retryable=error.retryable)


def not_found(request: HttpRequest) -> JsonResponse:
    """An address under /api/ that there is not."""
    return _sent(problem(404, "not_found", "there is nothing here"))


def server_error(request: HttpRequest) -> JsonResponse:
    """A fault of ours: its id finds it in the log, and nothing else is told."""
    return _sent(problem(500, "server_error", "that is our fault; it is in our log under this request's id"))


def unreachable() -> JsonResponse:
    """The database cannot be reached; where it was lost in the middle, an idempotency key makes trying again safe."""
    return _sent(problem(503, "database_unreachable", "the database cannot be reached; try again with the same key"))


def _sent(body: dict[str, Any]) -> JsonResponse:
    return JsonResponse(body, status=body["status"], content_type=MEDIA_TYPE)


def _of_framework(error: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    if isinstance(error, exceptions.ValidationError):
        faults = list(_faults(error.detail))
        first = faults[0]
        return problem(422, first.code, first.detail, faults=faults), {}
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + (wait % 1 > 0))
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    code = error.get_codes()
    known = _CODES.get(code, code) if isinstance(code, str) else "refused"
    return problem(error.status_code, known, str(error.detail)), headers


def _faults(detail: Any, path: str = "") -> Iterator[Fault]:
    """DRF's nest of lists and dictionaries as pointers."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _faults(inner, path if name == "non_field_errors" else f"{path}/{_escaped(str(name))}")
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, (dict, list))
            yield from _faults(inner, f"{path}/{place}" if nested else path)
    else:
        code = getattr(detail, "code", "invalid")
        if path.startswith("/?"):
            yield Fault(_CODES.get(code, code), str(detail), parameter=path[2:])
        else:
            yield Fault(_CODES.get(code, code), str(detail), path)


def _sentence(detail: str) -> str:
    """Begins with a capital, unless it begins with the name of a field or a key."""
    first = detail.partition(" ")[0].rstrip(",:;.")
    return detail[:1].upper() + detail[1:] if first.isalpha() and first.islower() else detail


def _pointer(path: str) -> str:
    """`price.tiers[1].up_to` as `/price/tiers/1/up_to`."""
    parts = path.replace("[", ".").replace("]", "").split(".") if path else []
    return "".join(f"/{_escaped(part)}" for part in parts)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _is_busy(error: OperationalError) -> bool:
    """A lock that was not had in time, or a deadlock that this transaction lost."""
    return getattr(error.__cause__, "sqlstate", None) in ("55P03", "40P01", "40001")
