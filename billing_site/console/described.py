"""The console's calls for OpenAPI: what an answer holds in its envelope, and the refusals they share."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers

from accounts.api.described import AnySerializer

TAG = "seed 001"


@extend_schema_field({"type": ["number", "null"], "examples": [12.5]})
class Number(serializers.Field[Any, Any, Any, Any]):
    """A number that is written exactly."""

    def to_representation(self, value: Any) -> Any:
        return value


class ConsoleUsedOut(serializers.Serializer[Any]):
    """`used` is null where it is unknown, `limit` where none is enforced."""

    used = Number()
    limit = Number()


class ConsoleRefusalOut(serializers.Serializer[Any]):
    """The seed's error. Nothing was written."""

    success = serializers.BooleanField(default=False)
    error = serializers.CharField()
    details = serializers.DictField(
        help_text="`code`, and `field`; for namespaces `namespace` and `availableNamespaces`."
    )
    timestamp = serializers.DateTimeField()


ORGANIZATION = OpenApiParameter(
    "organization", str, "query", description="Short name or id, for callers who belong to several."
)


def call(
    summary: str,
    answers: AnySerializer | None,
    *,
    needs: str = "",
    key: str = "data",
    takes: Any = None,
    many: bool = False,
) -> Callable[[Any], Any]:
    """Describe a method of a view; what its docstring says is told, and the ability it needs."""
    shared = (400, 401, 403, 404, 409, 413, 415, 429, 500, 503)
    done = enveloped(answers, key, many) if answers else _bare()

    def decorate(method: Any) -> Any:
        said = " ".join((method.__doc__ or "").split())
        said = f"{said}\n\nNeeds `{needs}`.".strip() if needs else said
        responses = {200: done, **dict.fromkeys(shared, ConsoleRefusalOut)}
        described = extend_schema(
            operation_id="console_" + re.sub(r"[^a-z0-9]+", "_", summary.lower()).strip("_"),
            summary=summary,
            description=said,
            tags=[TAG],
            parameters=[ORGANIZATION],
            request=takes,
            responses=responses,
        )
        method.needs = needs
        return described(method)

    return decorate


@cache
def enveloped(answers: AnySerializer, key: str, many: bool) -> AnySerializer:
    fields = {"success": serializers.BooleanField(default=True), key: answers(many=many)}
    name = f"{answers.__name__.removesuffix('Out')}{'s' if many else ''}Answer"
    return cast(AnySerializer, inline_serializer(name, fields))


@cache
def _bare() -> AnySerializer:
    return cast(AnySerializer, inline_serializer("ConsoleStarted", {"success": serializers.BooleanField(default=True)}))
