"""Fields that only this room's answers and bodies have."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.public_ids import encode


@extend_schema_field({"type": "string"})
class Ref(serializers.Field[Any, Any, Any, Any]):
    """A key as the public id of its kind of thing."""

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Any) -> str:
        return encode(self.prefix, value)


@extend_schema_field({"type": "string", "examples": ["500m", "16Gi"]})
class Quantity(serializers.Field[Any, Any, Any, Any]):
    """A quantity as Kubernetes writes it, as text; whole numbers may stand without quotes. The act reads it."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, int) and not isinstance(data, bool):
            return str(data)
        if not isinstance(data, str) or len(data) > 64:
            raise serializers.ValidationError('write a quantity as text, such as "500m"', code="quantity_invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def quantities(*, unknown: bool = False, **options: Any) -> serializers.DictField:
    """Quantities by dimension; null for what is unknown, where that may be said."""
    return serializers.DictField(child=Quantity(allow_null=unknown), allow_empty=False, **options)


@extend_schema_field({"type": "object", "additionalProperties": True})
class Document(serializers.Field[Any, Any, Any, Any]):
    """A JSON object that is kept as it is, so that its decimals are text."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("a JSON object is wanted", code="object_expected")
        if _has_decimals(data):
            raise serializers.ValidationError('write decimals as text, such as "2.5"', code="decimal_expected")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def _has_decimals(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_decimals(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_has_decimals(inner) for inner in value)
    return isinstance(value, Decimal)
