"""Query parameters, read as strictly as bodies."""

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from accounts.api.paging import MOST, USUAL


class Query(serializers.Serializer[Any]):
    """Parameters whose names are all known, each given at most once."""

    @classmethod
    def read(cls, given: QueryDict) -> dict[str, Any]:
        """Raises ValidationError, whose faults name parameters."""
        query = cls(data={name: given[name] for name in given})
        faults: dict[str, Any] = {}
        for name in given:
            if name not in query.fields:
                faults[name] = serializers.ErrorDetail("there is no such parameter", code="unknown_parameter")
            elif len(given.getlist(name)) > 1:
                faults[name] = serializers.ErrorDetail("it is given twice", code="parameter_repeated")
            elif "\x00" in given[name]:
                faults[name] = serializers.ErrorDetail("it has a NUL character in it", code="invalid")
        if not faults and not query.is_valid():
            faults = dict(query.errors)
        if faults:
            raise serializers.ValidationError({f"?{name}": fault for name, fault in list(faults.items())[:20]})
        return dict(query.validated_data)


class Digits(serializers.IntegerField):
    """A whole number in plain digits."""

    def to_internal_value(self, data: Any) -> int:
        if not (isinstance(data, str) and data.isascii() and data.isdigit() and len(data) < 20):
            raise serializers.ValidationError("a whole number is wanted", code="whole_number_expected")
        return super().to_internal_value(data)


class YesNo(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            raise serializers.ValidationError("true or false is wanted", code="boolean_expected")
        return bool(data == "true")


class NoQuery(Query):
    pass


class PageQuery(Query):
    """Every list takes these; a list's own filters stand beside them in a subclass."""

    limit = Digits(required=False, min_value=1, max_value=MOST, help_text=f"{USUAL} unless told.")
    cursor = serializers.CharField(required=False, max_length=64, help_text="`next_cursor` of the page before.")


class ActQuery(Query):
    dry_run = YesNo(required=False, help_text="`true` answers as the act would, and writes nothing.")
