"""Consoles at other origins may call the console's addresses from a browser, with their own tokens and no cookies."""

from collections.abc import Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from billing_site.request_context import Answer

OPEN_TO_CONSOLES = ("/api/billing/", "/api/manage-organization/")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Organization, X-Request-ID",
    "Access-Control-Max-Age": "600",
}
_READABLE = "X-Request-ID, Retry-After, RateLimit, RateLimit-Policy"


class CrossOriginMiddleware:
    """Origins are named one by one in CONSOLE_ORIGINS; to any other, nothing is said."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        if not settings.CONSOLE_ORIGINS or not request.path_info.startswith(OPEN_TO_CONSOLES):
            return self.get_response(request)
        if self.is_async:
            return self._acall(request)
        response = _preflight(request) or self.get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 - a synchronous chain
        return _with_headers(request, response)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        response = _preflight(request)
        if response is None:
            answer = self.get_response(request)
            response = answer if isinstance(answer, HttpResponseBase) else await answer
        return _with_headers(request, response)


def _allowed(request: HttpRequest) -> bool:
    return request.headers.get("Origin") in settings.CONSOLE_ORIGINS


def _preflight(request: HttpRequest) -> HttpResponseBase | None:
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    return HttpResponse(status=204, headers=_PREFLIGHT) if asks and _allowed(request) else None


def _with_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    varies = [part.strip() for part in response.headers.get("Vary", "").split(",") if part.strip()]
    response.headers["Vary"] = ", ".join(dict.fromkeys([*varies, "Origin"]))
    if _allowed(request):
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = _READABLE
    return response
