"""What every address of /api/v1 has in common: a known caller, a limit on how often, problems for refusals."""

from typing import Any

from django.conf import settings
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, Throttled
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import auth_failures, rate_limits
from accounts.callers import Caller
from accounts.errors import Forbidden

SAFE = ("GET", "HEAD", "OPTIONS")


class Resource(APIView):
    metadata_class = None
    caller: Caller
    allowance: rate_limits.Allowance | None = None

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            self._count(f"failed:{request.META.get('REMOTE_ADDR', '')}", "failed", settings.API_FAILURES_PER_MINUTE)
            raise
        if not isinstance(request.auth, Caller):
            auth_failures.count("token_required")
            raise NotAuthenticated
        self.caller = request.auth

    def check_throttles(self, request: Request) -> None:
        reads = request.method in SAFE
        limit = settings.API_READS_PER_MINUTE if reads else settings.API_WRITES_PER_MINUTE
        self._count(self.caller.bucket, "read" if reads else "write", limit)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        finished = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.allowance.headers() if self.allowance else {}).items():
            finished[name] = value
        finished.headers.setdefault("Cache-Control", "no-store")
        return finished

    def lock(self, **url: str) -> None:
        """Hold what If-Match is about until the transaction ends; a view that takes If-Match says how."""

    def represent(self, **url: str) -> Any:
        """The thing of this address as its reader sees it; needed where acts take If-Match."""
        raise Forbidden("this address has no version to match", code="version_unknown")

    def require_ability(self, needs: str) -> None:
        if not self.caller.may_anywhere(needs):
            raise Forbidden(f"that needs {needs}")

    def _count(self, who: str, kind: str, limit: int) -> None:
        self.allowance = rate_limits.take(who, kind, limit)
        if not self.allowance.allowed:
            raise Throttled(wait=self.allowance.wait_seconds)
