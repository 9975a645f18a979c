"""The values a catalog is made of, each checked exactly. Every refusal becomes one fault of the document."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints

from accounts.errors import DomainError
from quotas.resource_quantities import canonical, parse

_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?", re.ASCII)


def _quantity(value: Any) -> Decimal:
    try:
        return parse(value)
    except DomainError as error:
        raise ValueError(error.detail) from None


def _number(value: Any) -> Decimal:
    """A plain decimal, zero or more; text or a number, never a float, an exponent, NaN or a truth value."""
    text = str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError("write a plain number, zero or more, such as 19 or 1.5")
    return Decimal(text)


def _whole(value: Any) -> int:
    number = _number(value)
    if number != number.to_integral_value():
        raise ValueError("write a whole number")
    return int(number)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("a text is expected here")
    text = str(value).strip()
    if "\x00" in text or text != text.encode("utf-8", "replace").decode():
        raise ValueError("it holds characters that are no text")
    return text


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("must be above zero")
    return value


def _written(value: Decimal) -> int | Decimal:
    return int(value) if value == value.to_integral_value() else Decimal(f"{value:f}".rstrip("0"))


Cores = Annotated[Decimal, BeforeValidator(_quantity), PlainSerializer(canonical)]
Bytes = Annotated[Decimal, BeforeValidator(_quantity), PlainSerializer(lambda value: canonical(value, binary=True))]
SomeCores = Annotated[Cores, AfterValidator(_positive)]
SomeBytes = Annotated[Bytes, AfterValidator(_positive)]
Number = Annotated[Decimal, BeforeValidator(_number), PlainSerializer(_written)]
Ratio = Annotated[Number, AfterValidator(_positive)]
Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Name = Annotated[str, BeforeValidator(_text), StringConstraints(min_length=1, max_length=128)]
Text = Annotated[str, BeforeValidator(_text), StringConstraints(max_length=1024)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
