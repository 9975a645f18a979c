"""Every operation of the REST API, as the URL configuration has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts.api.resources import Resource

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    method: str
    route: str  # `/api/v1/projects/<str:project>`
    needs: str  # the ability written on it; empty where anybody who is known may ask
    staff: str  # which ability of staff's, where it is theirs alone

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"


def operations() -> list[Operation]:
    return sorted(_operations(get_resolver().url_patterns, "/"), key=lambda one: (one.route, one.method))


def _operations(patterns: list[Any], prefix: str) -> Iterator[Operation]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _operations(pattern.url_patterns, f"{prefix}{pattern.pattern}")
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
            if view is not None and issubclass(view, Resource):
                for method in METHODS:
                    if handler := getattr(view, method, None):
                        needs, staff = getattr(handler, "needs", ""), getattr(handler, "staff", "")
                        yield Operation(method.upper(), f"{prefix}{pattern.pattern}", needs, staff)
