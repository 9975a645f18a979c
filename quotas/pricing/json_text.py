"""JSON as people and programs send it, without what JSON parsers usually let pass: floats, NaN, keys given twice."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from accounts.errors import DomainError

LONGEST = 1_000_000  # characters
_MOST_DIGITS = 30


class JsonInvalid(DomainError):
    code = "json_invalid"


@dataclass(frozen=True)
class Inexact:
    """A number that JSON may hold and a price may not: whoever reads it refuses it, with its place."""

    text: str


def read_json(text: str) -> Any:
    """The document. Numbers with a point or an exponent become Inexact. Raises JsonInvalid."""
    if len(text) > LONGEST:
        raise JsonInvalid(f"the document is longer than {LONGEST:,} characters")
    try:
        return json.loads(
            text, parse_float=Inexact, parse_int=_integer, parse_constant=Inexact, object_pairs_hook=_once
        )
    except json.JSONDecodeError as error:
        raise JsonInvalid(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise JsonInvalid("the document is nested too deeply") from None


def _integer(text: str) -> int | Inexact:
    return int(text) if len(text) <= _MOST_DIGITS else Inexact(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys: set[str] = set()
    for key, _ in pairs:
        if key in keys:
            _twice(key)
        keys.add(key)
    return dict(pairs)


def _twice(key: str) -> NoReturn:
    raise JsonInvalid(f"the key {key[:60]!r} is given twice in one object")
