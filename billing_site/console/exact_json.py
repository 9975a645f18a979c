"""JSON in which decimals stand as numbers, digit by digit: no quantity passes through a binary fraction."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


def write(value: Any) -> str:
    """Compact JSON. Raises TypeError for what has no exact form, a float among them."""
    match value:
        case None | bool() | str():
            return json.dumps(value)
        case int():
            return str(value)
        case Decimal():
            return number(value)
        case Mapping():
            return f"{{{','.join(f'{json.dumps(str(name))}:{write(one)}' for name, one in value.items())}}}"
        case list() | tuple():
            return f"[{','.join(map(write, value))}]"
        case _:
            raise TypeError(f"{type(value).__name__} has no exact form in JSON")


def number(value: Decimal) -> str:
    """Plain digits, without the zeros that say nothing: 12.5, 160, 0."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


class ExactJSON(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else write(data).encode()


class AlwaysJSON(BaseContentNegotiation):
    """The console gets JSON whatever it says it would take."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return next((one for one in parsers if _takes(one.media_type, request.content_type)), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def _takes(media_type: str, sent: str | None) -> bool:
    return media_type in ("*/*", (sent or media_type).partition(";")[0].strip().lower())
