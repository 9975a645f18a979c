"""How much of its limits an organization has in use."""

from typing import Any

from rest_framework import serializers

from accounts.abilities import READ_PROJECTS
from accounts.api.fields import DecimalText, Moment
from accounts.api.naming import named
from accounts.api.operations import reading
from accounts.api.organizations import organizations_of
from accounts.api.resources import Resource
from quotas.dimensions import DIMENSIONS, write
from quotas.holdings import level_of
from quotas.quota_bars import Bar
from quotas.quota_in_use import InUse, in_use


class DimensionOut(serializers.Serializer[Any]):
    dimension = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    limit = serializers.CharField(allow_null=True, help_text="As the cluster writes it; null where none is enforced.")
    used = serializers.CharField(allow_null=True, help_text="Null where it is unknown: that is not zero.")
    percent = DecimalText(allow_null=True)
    alert_percent = serializers.IntegerField(help_text="The highest alert that is reached, 0 for none.")
    over = serializers.BooleanField()
    reported_at = Moment(allow_null=True)


class UsageOut(serializers.Serializer[Any]):
    organization = serializers.CharField()
    level = serializers.CharField(help_text="full, warn, restricted or halted.")
    computed_at = Moment(allow_null=True, help_text="When the limits were; null where there are none.")
    dimensions = DimensionOut(many=True)


class Usage(Resource):
    @reading("Get what an organization uses", needs=READ_PROJECTS, answers=UsageOut)
    def get(self, organization: str) -> dict[str, Any]:
        found = named(organizations_of(self.caller), organization, what="organization")
        self.caller.require(READ_PROJECTS, found.pk, what="organization")
        usage = in_use(found)
        return {
            "organization": found.public_id,
            "level": level_of(found),
            "computed_at": usage.computed_at,
            "dimensions": [_line(bar, usage) for bar in usage.bars],
        }


def _line(bar: Bar, usage: InUse) -> dict[str, Any]:
    return {
        "dimension": bar.name,
        "unit": DIMENSIONS[bar.name].unit,
        "limit": None if bar.limit is None else write(bar.name, bar.limit),
        "used": None if bar.used is None else write(bar.name, bar.used),
        "percent": bar.percent,
        "alert_percent": bar.reached,
        "over": bar.over,
        "reported_at": usage.reported.get(bar.name),
    }
