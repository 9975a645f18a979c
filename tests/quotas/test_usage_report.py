"""What the platform reports: the newest stands, unknown is not zero, an alert is told once a crossing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.errors import DomainError, NotFound
from accounts.models import OutboxMessage
from quotas import topics
from quotas.models import ReportedUsage
from quotas.subscriptions import assign_plan
from quotas.usage_report import report, usage_of
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.plans import publish

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=1)


def alerts() -> list[dict[str, Any]]:
    return [row.payload for row in OutboxMessage.objects.filter(topic=topics.QUOTA_ALERT).order_by("pk")]


def test_the_newest_report_of_a_dimension_stands(cast: Cast) -> None:
    report(cast.acme, {"cpu": "1500m", "memory": "3Gi"}, reported_at=LATER, at=LATER)
    late = report(cast.acme, {"cpu": "9", "pods": "4"}, reported_at=NOON, at=LATER)
    assert (late.taken, late.outdated) == (("pods",), ("requests.cpu",))
    assert usage_of(cast.acme) == {
        "requests.cpu": Decimal("1.5"),
        "requests.memory": Decimal(3 * 2**30),
        "pods": Decimal(4),
    }


def test_unknown_is_not_zero(cast: Cast) -> None:
    report(cast.acme, {"object_storage": "12.5"}, reported_at=NOON, at=NOON)
    report(cast.acme, {"object_storage": None}, reported_at=LATER, at=LATER)
    assert usage_of(cast.acme) == {"object_storage": None}


@pytest.mark.parametrize(
    ("readings", "code", "field"),
    [
        ({"cpu": "-1"}, "quantity_invalid", "cpu"),
        ({"cpu": "1e400"}, "quantity_invalid", "cpu"),
        ({"memory": "NaN"}, "quantity_invalid", "memory"),
        ({"pods": "1500m"}, "quantity_invalid", "pods"),
        ({"cpu": True}, "quantity_invalid", "cpu"),
        ({"cpu": "1", "requests.cpu": "2"}, "quantity_invalid", "requests.cpu"),
        ({"gpus": "1"}, "dimension_unknown", "dimension"),
    ],
)
def test_bad_readings_are_refused_whole(cast: Cast, readings: dict[str, object], code: str, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        report(cast.acme, {"storage": "1Gi", **readings}, reported_at=NOON, at=NOON)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not ReportedUsage.objects.exists()


def test_a_project_of_somebody_else_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        report(cast.strangers, {"cpu": "1"}, project=cast.project, reported_at=NOON, at=NOON)


def test_each_crossing_is_told_once_and_armed_again_below_it(cast: Cast) -> None:
    publish()
    assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="for a test", at=NOON)
    for minute, used in enumerate(["6300m", "6400m", "7", "7600m", "7900m", "6", "6500m"]):
        moment = NOON + timedelta(minutes=minute)
        report(cast.acme, {"cpu": used}, reported_at=moment, at=moment)
    assert [(one["percent"], one["used"], one["limit"]) for one in alerts()] == [
        (80, "6400m", "8"),
        (95, "7600m", "8"),
        (80, "6500m", "8"),
    ]
