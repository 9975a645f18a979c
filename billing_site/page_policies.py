"""What a page may load, run and be put into, by where it stands: the longest prefix of its path decides.

The back office is the only place that evaluates text as script (Alpine does) and styles elements inline.
"""

from collections.abc import Mapping

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Directives = Mapping[str, list[str]]

_PAGE: Directives = {
    "default-src": [SELF],
    "img-src": [SELF, "data:"],  # the picture of a second factor's secret is never a file
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
_DATA: Directives = {"default-src": [NONE], "base-uri": [NONE], "form-action": [NONE], "frame-ancestors": [NONE]}

POLICIES: dict[str, Directives] = {
    "/": _PAGE,
    "/admin/": {**_PAGE, "script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]},
    "/api/": _DATA,
    "/api/docs/": {**_PAGE, "style-src": [SELF, UNSAFE_INLINE]},  # Swagger UI; its script must be a file
    **dict.fromkeys(("/healthz", "/readyz", "/metrics"), _DATA),
}
_LONGEST_FIRST = sorted(POLICIES, key=len, reverse=True)

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class PagePolicyMiddleware(CSPMiddleware):
    """Stands before whatever answers, so that files and refusals carry the headers too."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only:
            parts.config = dict(policy_of(request.path_info))
        return parts


def policy_of(path: str) -> Directives:
    return POLICIES[next((prefix for prefix in _LONGEST_FIRST if path.startswith(prefix)), "/")]
