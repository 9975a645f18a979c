"""The ways a caller is known by, for the description of the REST API."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        said = "An API key (`ch_live_…`), or a token of an issuer that is trusted."
        return {"type": "http", "scheme": "bearer", "description": said}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        said = "The cookie of a browser that signed in; what changes anything needs the CSRF token too."
        return {"type": "apiKey", "in": "cookie", "name": "__Host-session", "description": said}
