"""Refusals as `{code, message}`: how a platform expects them at addresses outside /api/v1 (/allocations, /payments)."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api import problems


class Refusal(serializers.Serializer[Any]):
    """A refusal. Nothing was written."""

    code = serializers.CharField(help_text="Stable; for programs.")
    message = serializers.CharField(help_text="For people.")


class PlainRefusals:
    """Of a Resource: the same codes and statuses as under /api/v1, in that shape."""

    refusal_shape = Refusal

    def get_exception_handler(self) -> Callable[..., Any]:
        return answer


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    refused = problems.answer(error, context)
    if refused is None:
        return None
    body = {"code": refused.data["code"], "message": refused.data["detail"]}
    headers = {name: value for name, value in refused.headers.items() if name.lower() != "content-type"}
    return Response(body, status=refused.status_code, headers=headers)
