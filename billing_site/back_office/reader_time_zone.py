"""Moments are shown in the time zone of whoever reads them."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

UTC = ZoneInfo("UTC")


class ReaderTimeZoneMiddleware:
    """The back office in the signed-in person's time zone; all else in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.prefix = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(self.prefix):
            return self.get_response(request)
        with timezone.override(_zone(getattr(request.user, "time_zone", "UTC"))):
            return self.get_response(request)


def _zone(name: str) -> ZoneInfo:
    """A zone the system does not know, or no zone at all, is read as UTC."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
