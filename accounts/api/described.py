"""What every operation of the API has in common, for its OpenAPI description."""

from functools import cache
from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from accounts.api.problems import MEDIA_TYPE

AnySerializer = type[serializers.Serializer[Any]]


class FaultOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    pointer = serializers.CharField(required=False, help_text="JSON pointer into the body.")
    parameter = serializers.CharField(required=False, help_text="Name of the query parameter.")


class Problem(serializers.Serializer[Any]):
    """A refusal (RFC 9457). Nothing was written."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; for programs.")
    detail = serializers.CharField(help_text="For people.")
    errors = FaultOut(many=True)  # type: ignore[assignment] # the name that RFC 9457's readers expect
    retryable = serializers.BooleanField(help_text="Whether the same request may succeed later.")
    request_id = serializers.CharField(allow_null=True)


_ALWAYS = (400, 401, 403, 404, 406, 422, 429, 503)
_WHEN_WRITING = (409, 412, 413, 415)


def answers(done: dict[int, Any], *, writes: bool) -> dict[Any, Any]:
    """The answers of an operation by status: what it does, and every refusal it shares with the others."""
    refusals = (*_ALWAYS, *_WHEN_WRITING) if writes else _ALWAYS
    return {**done, **{(status, MEDIA_TYPE): Problem for status in refusals}}


def of_query(query: AnySerializer) -> list[Any]:
    """The parameters of a query; one that takes none has none to describe."""
    return [query] if query().fields else []


def writing_parameters(*, money: bool, versioned: bool) -> list[OpenApiParameter]:
    key = "The same key acts once, for 7 days; required." if money else "The same key acts once, for 7 days."
    dry = "`true` answers as the act would, and writes nothing."
    found = [
        OpenApiParameter("dry_run", bool, "query", description=dry),
        OpenApiParameter("Idempotency-Key", str, "header", required=money, description=key),
    ]
    if versioned:
        tag = "The ETag that was read: refused with 412 where somebody changed it since."
        found.append(OpenApiParameter("If-Match", str, "header", description=tag))
    return found


@cache
def page_of(row: AnySerializer) -> AnySerializer:
    """A page of rows."""
    fields = {
        "data": row(many=True),
        "has_more": serializers.BooleanField(),
        "next_cursor": serializers.CharField(allow_null=True, help_text="Give it as `cursor` for the next page."),
    }
    return cast(AnySerializer, inline_serializer(f"PageOf{row.__name__.removesuffix('Out')}", fields))
