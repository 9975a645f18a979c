"""Reading one object of a price document: its keys in their spellings, its values in their types, faults by path."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from accounts.clock import parse_moment
from accounts.errors import TimeInvalid
from quotas.pricing.faults import Faults
from quotas.pricing.json_text import Inexact

Read = TypeVar("Read")
ABSENT = object()
PLACES = 12
_LONGEST = 60  # characters of a number
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)


class Fields:
    """One object. Whoever reads it takes each key it knows, then calls `done`: what is left is a fault."""

    def __init__(
        self, document: object, path: str, faults: Faults, spellings: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.path, self.faults = path, faults
        self.is_object = isinstance(document, Mapping)
        self._left: dict[str, Any] = dict(document) if isinstance(document, Mapping) else {}
        self._spellings = spellings or {}
        if not self.is_object:
            faults.add(path, "not_an_object", "write an object: {…}")

    def at(self, key: str | int) -> str:
        """The path of something below."""
        return f"{self.path}[{key}]" if isinstance(key, int) else f"{self.path}.{key}".lstrip(".")

    def fault(self, key: str, code: str, reason: str) -> None:
        self.faults.add(self.at(key) if key else self.path, code, reason)

    def has(self, key: str) -> bool:
        return any(name in self._left for name in (key, *self._spellings.get(key, ())))

    def take(self, key: str) -> Any:
        """The value by any spelling of its key, or ABSENT."""
        given = [name for name in (key, *self._spellings.get(key, ())) if name in self._left]
        if len(given) > 1:
            self.fault(key, "given_twice", f"the same thing is given as {' and as '.join(given)}")
        values = [self._left.pop(name) for name in given]
        return values[0] if values else ABSENT

    def number(
        self, key: str, *, default: Decimal | None = None, below: int = 10**12, places: int = PLACES, zero: bool = True
    ) -> Decimal:
        """A decimal of zero or more; required without a default."""
        value = self.take(key)
        if value is ABSENT or (value is None and default is not None):
            return self._missing(key, default)
        return self._checked(key, value, below, places, zero)

    def optional_number(self, key: str, *, below: int) -> Decimal | None:
        value = self.take(key)
        return None if value is ABSENT or value is None else self._checked(key, value, below, PLACES, zero=True)

    def whole(self, key: str, *, default: int | None = None, most: int) -> int | None:
        """A whole number from 1."""
        value = self.take(key)
        if value is ABSENT or value is None:
            return default
        number = self._checked(key, value, most + 1, 0, zero=False)
        return int(number)

    def text(self, key: str, *, default: str | None = None, longest: int = 253) -> str:
        value = self.take(key)
        if value is ABSENT or (value is None and default is not None):
            if default is None:
                self.fault(key, "required", "it is missing")
            return default or ""
        if not is_text(value, longest):
            self.fault(key, "text_invalid", f"write a text of 1 to {longest} characters")
            return ""
        return str(value)

    def moment(self, key: str) -> datetime | None:
        value = self.take(key)
        if value is ABSENT or value is None:
            return None
        try:
            return parse_moment(value)
        except TimeInvalid as error:
            self.fault(key, error.code, error.detail)
            return None

    def items(self, key: str, read: Callable[[object, str], Read], *, most: int, least: int = 1) -> list[Read]:
        """The members of a list, each read with its path."""
        value = self.take(key)
        if not isinstance(value, list):
            self.fault(key, "not_a_list", "write a list: […]")
            return []
        if not least <= len(value) <= most:
            code = "too_many" if value else "empty"
            self.fault(key, code, f"it holds {len(value)}; from {least} to {most} are allowed")
            return []
        return [read(member, f"{self.at(key)}[{place}]") for place, member in enumerate(value)]

    def done(self) -> None:
        for key in self._left:
            self.fault(key[:60], "unknown_key", "this key means nothing here")

    def _missing(self, key: str, default: Decimal | None) -> Decimal:
        if default is None:
            self.fault(key, "required", "it is missing")
        return default or Decimal(0)

    def _checked(self, key: str, value: object, below: int, places: int, zero: bool) -> Decimal:
        number = read_number(value, self.at(key), self.faults, below=below, places=places)
        if number is not None and not zero and not number:
            self.fault(key, "zero", "it must be above zero")
        return number if number else Decimal(0)


def is_text(value: object, longest: int) -> bool:
    """Whether it is a text that a database keeps: not blank, no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest or "\x00" in value:
        return False
    return value == value.encode("utf-8", "replace").decode()


def read_number(
    value: object, path: str, faults: Faults, *, below: int = 10**12, places: int = PLACES
) -> Decimal | None:
    """An int, or a decimal as a string. None, with its fault, where it is neither, negative, too large or too long."""
    read = _exact(value, below, places)
    if isinstance(read, Decimal):
        return read
    faults.add(path, *read)
    return None


def _exact(value: object, below: int, places: int) -> Decimal | tuple[str, str]:
    if isinstance(value, Inexact | float):
        text = value.text if isinstance(value, Inexact) else repr(value)
        return "inexact", f"{text[:40]} is no exact number: write a decimal as a string, “12.5”"
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return "not_a_number", "write a whole number, or a decimal as a string, “12.5”"
    if isinstance(value, int) and abs(value) >= 10**30:
        return "too_large", f"it must be below {below:,}"
    return _plain(f"{value:f}" if isinstance(value, Decimal) else str(value), below, places)


def _plain(text: str, below: int, places: int) -> Decimal | tuple[str, str]:
    if text.startswith(("-", "−")):
        return "negative", "it must not be negative"
    shape = _NUMBER.fullmatch(text)
    if shape is None or len(text) > _LONGEST:
        return "not_a_number", f"{text[:40]!r} is no plain decimal such as 12.5"
    if int(shape[1]) >= below:
        return "too_large", f"it must be below {below:,}"
    number = Decimal(text)
    if number != number.quantize(Decimal(1).scaleb(-places)):
        return "too_precise", f"it has more than {places} decimals" if places else "it must be a whole number"
    return number
