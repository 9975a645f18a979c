"""Meters move forward one phase at a time, keep what they measure, and only gain dimensions."""

import pytest

from accounts.errors import Conflict, DomainError
from quotas import meters
from quotas.models import Meter
from tests.cast import BEGINNING, NOON, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.quotas.offer_scene import BY, GPU, publish_meter


def test_a_meter_goes_from_draft_to_retired_and_no_further(cast: Cast) -> None:
    meter = publish_meter(phase="Draft")
    seen = []
    for _ in range(3):
        meter = meters.advance(meter.pk, at=NOON, **BY)
        seen.append((meter.phase, meter.published_at))
    assert seen == [("Published", NOON), ("Deprecated", NOON), ("Retired", NOON)]
    with pytest.raises(Conflict) as caught:
        meters.advance(meter.pk, at=NOON, **BY)
    assert caught.value.code == "meter_retired"
    with pytest.raises(Conflict):
        meters.add_dimensions(meter.pk, ["region"], at=NOON, **BY)
    assert [row.phase for row in Meter.history.order_by("history_id")] == [
        "Draft",
        "Published",
        "Deprecated",
        "Retired",
    ]


def test_dimensions_are_only_added(cast: Cast) -> None:
    meter = publish_meter(GPU, "region")
    assert meters.add_dimensions(meter.pk, ["class", "region"], at=NOON, **BY).dimensions == ["region", "class"]
    for names in ([], ["region"], ["no space"], ["x" * 65], [f"d{n}" for n in range(40)]):
        with pytest.raises(DomainError) as caught:
            meters.add_dimensions(meter.pk, names, at=NOON, **BY)
        assert (caught.value.code, caught.value.field) == ("meter_invalid", "dimensions")


@pytest.mark.parametrize(
    "change",
    [
        "phase = 'Draft', published_at = NULL",
        "phase = 'Retired'",
        "dimensions = '[]'",
        "name = 'other'",
        "unit = 'kg'",
        "aggregation = 'Max'",
        "published_at = now()",
    ],
)
def test_the_database_refuses_the_way_back(cast: Cast, change: str) -> None:
    publish_meter(GPU, "region")
    with refused_by("meters_move_forward"):
        execute(f"UPDATE meters SET {change}")


def test_a_meter_is_born_a_draft(cast: Cast) -> None:
    with refused_by("meters_move_forward"):
        execute(
            "INSERT INTO meters (name, display_name, unit, aggregation, dimensions, phase, created_at, published_at)"
            " VALUES ('m', 'M', 'h', 'Sum', '[]', 'Published', now(), now())"
        )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "no spaces"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 254}, "name"),
        ({"unit": ""}, "unit"),
        ({"display_name": "x" * 129}, "display_name"),
        ({"aggregation": "Median"}, "aggregation"),
        ({"dimensions": ["a b"]}, "dimensions"),
        ({"dimensions": [f"d{n}" for n in range(33)]}, "dimensions"),
        ({"name": GPU}, "name"),
    ],
)
def test_what_is_no_meter_is_refused_by_field(cast: Cast, changed: dict[str, object], field: str) -> None:
    publish_meter()
    terms = {"name": "m", "display_name": "M", "unit": "h", "aggregation": "Sum", "dimensions": (), **changed}
    with pytest.raises(DomainError) as caught:
        meters.define_meter(at=BEGINNING, **BY, **terms)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert Meter.objects.count() == 1
