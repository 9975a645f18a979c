"""Fields of bodies that take what they say and nothing like it; every other serializer of the API is made of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.clock import parse_moment
from accounts.errors import DomainError
from accounts.public_ids import decode, encode

LARGEST_AMOUNT = 10**15


class Body(serializers.Serializer[Any]):
    """A body whose names are all known: one that is not is a mistake of the caller's, or an attempt."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            said = serializers.ErrorDetail("a JSON object is wanted", code="object_expected")
            raise serializers.ValidationError({"non_field_errors": [said]})
        unknown = [str(name) for name in data if name not in self.fields or self.fields[name].read_only]
        if unknown:
            said = serializers.ErrorDetail("there is no such field", code="unknown_field")
            raise serializers.ValidationError({name: [said] for name in unknown[:20]})
        value: dict[str, Any] = super().to_internal_value(data)
        return value


class Text(serializers.CharField):
    """Text as JSON text: no number, no boolean. The act says what it must be like."""

    def __init__(self, *, max_length: int = 2000, **options: Any) -> None:
        super().__init__(max_length=max_length, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("a text is wanted", code="text_expected")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("true or false is wanted", code="boolean_expected")
        return data


class Whole(serializers.IntegerField):
    """A whole number as JSON writes one."""

    def __init__(self, *, min_value: int = 0, max_value: int = 2**31 - 1, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("a whole number is wanted", code="whole_number_expected")
        return data


class AmountMinor(Whole):
    """Money in minor units: a whole number, never zero, at most 10^15 either way."""

    def __init__(self, **options: Any) -> None:
        bounds = {"min_value": -LARGEST_AMOUNT, "max_value": LARGEST_AMOUNT}
        super().__init__(**{**bounds, "help_text": "Minor units of the currency.", **options})

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError(
                "write the amount as a whole number of minor units", code="amount_invalid"
            )
        if data == 0 or abs(data) > LARGEST_AMOUNT:
            raise serializers.ValidationError("the amount is zero or out of range", code="amount_invalid")
        return data


@extend_schema_field({"type": "string", "examples": ["2.5"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"})
class DecimalText(serializers.Field[Any, Any, Any, Any]):
    """A rate or a quantity: a decimal as text, exact. Whole numbers may stand without quotes."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, int) and not isinstance(data, bool):
            return str(data)
        if not isinstance(data, str):
            raise serializers.ValidationError('write a decimal as text, such as "2.5"', code="decimal_expected")
        return data

    def to_representation(self, value: Any) -> str | None:
        if value is None:
            return None
        return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


@extend_schema_field({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00Z"]})
class Moment(serializers.Field[Any, Any, Any, Any]):
    """RFC 3339. Taken in any zone that is given, told in UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str):
            raise serializers.ValidationError("write the moment as 2026-01-31T12:00:00Z", code="time_invalid")
        try:
            return parse_moment(data)
        except DomainError as error:
            raise serializers.ValidationError(error.detail, code=error.code) from None

    def to_representation(self, value: datetime | str | None) -> str | None:
        return rfc3339(value) if isinstance(value, datetime) else value


class PublicIdOf(serializers.Field[Any, Any, Any, Any]):
    """The public id of a kind of thing, as its key; which of them the caller may name is the view's question."""

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        super().__init__(**options)
        set_override(self, "field", {"type": "string", "examples": [encode(prefix, 7)]})

    def to_internal_value(self, data: Any) -> int:
        key = decode(self.prefix, data) if isinstance(data, str) else None
        if key is None:
            raise serializers.ValidationError(f"an id is wanted that begins with {self.prefix}_", code="id_invalid")
        return key

    def to_representation(self, value: Any) -> Any:
        return value


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
