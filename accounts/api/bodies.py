"""JSON bodies, read strictly: one value a name, no number that floats, nothing that PostgreSQL cannot keep."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

LONGEST_BODY = 262_144  # bytes
DEEPEST = 20


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"
    default_detail = f"the body is longer than {LONGEST_BODY} bytes"


class StrictJSONParser(BaseParser):
    """Numbers with a point or an exponent become Decimal, so that a field can refuse or take them exactly."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(LONGEST_BODY + 1)
        if len(raw) > LONGEST_BODY:
            raise BodyTooLarge
        return read(raw)


def read(raw: bytes) -> Any:
    """Raises ParseError."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_once, parse_float=Decimal, parse_constant=_constant, parse_int=_whole
        )
    except UnicodeDecodeError:
        raise ParseError("the body is not UTF-8") from None
    except RecursionError:
        raise ParseError("the body is nested too deeply") from None
    except ValueError as error:
        raise ParseError(f"the body is not JSON: {error}") from None
    _check(value, 0)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ParseError(f"{name[:80]!r} is named twice")
        found[name] = value
    return found


def _constant(word: str) -> Any:
    raise ParseError(f"{word} is not a number")


def _whole(digits: str) -> int:
    if len(digits) > 40:
        raise ParseError("a number has too many digits")
    return int(digits)


def _check(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise ParseError("the body is nested too deeply")
    match value:
        case str():
            _storable(value)
        case dict():
            for name, inner in value.items():
                _storable(name)
                _check(inner, depth + 1)
        case list():
            for inner in value:
                _check(inner, depth + 1)


def _storable(text: str) -> None:
    """Neither NUL nor half of a surrogate pair can be kept."""
    if "\x00" in text:
        raise ParseError("a text has a NUL character in it")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ParseError("a text is not valid Unicode") from None
