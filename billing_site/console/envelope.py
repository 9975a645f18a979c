"""The seed's envelope: `success` with `data` or `config`, or `error` with `details` and `timestamp`, and its words."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from accounts import clock
from accounts.errors import DomainError, Forbidden
from billing_site.console.exact_json import write

log = structlog.stdlib.get_logger("billing_site.console")

TOKEN_REQUIRED = "Authentication token required"  # noqa: S105 - a sentence
NAMESPACE_DENIED = "Access denied to namespace"
UNREACHABLE = "Billing service unreachable"
NOT_FOUND = "Not found"


class Unreachable(DomainError):
    """What stands behind us cannot be asked."""

    code = "upstream_unreachable"
    status = 503
    retryable = True

    def __init__(self) -> None:
        super().__init__(UNREACHABLE)


class Denied(Forbidden):
    """A refusal that says what the caller may do instead."""

    def __init__(self, detail: str, *, code: str = "forbidden", status: int = 403, **details: Any) -> None:
        super().__init__(detail, code=code)
        self.status, self.details = status, details


def success(body: Any, *, key: str = "data") -> Response:
    return Response({"success": True, key: body})


def refusal(error: str, details: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    error = error[:1].upper() + error[1:]
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"success": False, "error": error, "details": details, "timestamp": stamp}


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """The exception handler of every view of the console."""
    status, said, details, headers = _refused(error)
    if status >= 500:
        log.error("console_failed", status=status, fault=type(error).__name__, exc_info=error)
    return Response(refusal(said, details, at=clock.now()), status=status, headers=headers)


def not_mounted(request: HttpRequest) -> HttpResponse:
    """An address that there is not."""
    body = write(refusal(NOT_FOUND, {}, at=clock.now()))
    return HttpResponse(body, status=404, content_type="application/json", headers={"Cache-Control": "no-store"})


def _refused(error: Exception) -> tuple[int, str, dict[str, Any], dict[str, str]]:
    """Status, sentence, details, headers."""
    match error:
        case Denied():
            return error.status, error.detail, error.details or {"code": error.code}, {}
        case DomainError():
            return _of_domain_error(error)
        case Http404():
            return 404, NOT_FOUND, {}, {}
        case PermissionDenied():
            return 403, "Access denied", {"code": "forbidden"}, {}
        case RequestDataTooBig():
            return 413, "The body is too large", {"code": "body_too_large"}, {}
        case SuspiciousOperation():
            return 400, "The request cannot be read", {"code": "bad_request"}, {}
        case exceptions.APIException():
            return _of_framework(error)
        case OperationalError():
            return 503, UNREACHABLE, {"code": "upstream_unreachable"}, {"Retry-After": "1"}
        case _:
            return 500, "Internal server error", {"code": "server_error"}, {}


def _of_domain_error(error: DomainError) -> tuple[int, str, dict[str, Any], dict[str, str]]:
    """What our acts refuse; what is wrong with a body is 400 in this dialect."""
    details = {"code": error.code, **({"field": error.field} if error.field else {})}
    return 400 if error.status == 422 else error.status, error.detail, details, {}


def _of_framework(error: exceptions.APIException) -> tuple[int, str, dict[str, Any], dict[str, str]]:
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + (wait % 1 > 0))
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if isinstance(error, exceptions.ValidationError):
        field, fault = _first_fault(error.detail)
        named = {"field": field} if field else {}
        return 400, str(fault), {"code": getattr(fault, "code", "invalid"), **named}, headers
    code = error.get_codes()
    details = {"code": {"not_authenticated": "token_required"}.get(str(code), str(code))}
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return 401, TOKEN_REQUIRED, details, headers
    if error.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        return 503, UNREACHABLE, details, headers
    return error.status_code, str(error.detail), details, headers


def _first_fault(detail: Any, path: str = "") -> tuple[str, Any]:
    """The first of DRF's nest of faults, and the field it is about."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        return _first_fault(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
    if isinstance(detail, list):
        place, inner = next((place, one) for place, one in enumerate(detail) if one)
        return _first_fault(inner, f"{path}[{place}]" if isinstance(inner, (dict, list)) else path)
    return path, detail
