"""Doctor looks at the cluster: what cannot be written, what waits, what was not followed, what is somebody else's."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from billing_site.doctor.cluster import cluster
from billing_site.doctor.findings import Level
from quotas.kubernetes import queue
from quotas.models import ClusterSync
from tests.cast import NOON, Cast


@pytest.fixture
def row(cast: Cast, settings: Any, tmp_path: Path) -> ClusterSync:
    settings.KUBECONFIG_PATH = tmp_path / "kubeconfig"
    queue.mark([cast.acme.pk], at=NOON)
    return ClusterSync.objects.get()


@pytest.mark.django_db
def test_without_a_kubeconfig_there_is_nothing_to_look_at() -> None:
    (finding,) = cluster(NOON)
    assert (finding.level, finding.what) == (Level.GOOD, "none: KUBECONFIG_PATH is not set")


def test_what_is_written_is_good(row: ClusterSync) -> None:
    ClusterSync.objects.update(next_attempt_at=None, applied_at=NOON)
    (finding,) = cluster(NOON)
    assert (finding.level, finding.what) == (Level.GOOD, "1 stand as they should")


def test_what_waits_for_a_worker_is_a_fault(row: ClusterSync) -> None:
    assert next(cluster(NOON)).level == Level.GOOD
    finding = next(cluster(NOON + timedelta(minutes=11)))
    assert finding.level == Level.FAULT
    assert "Acme waits to be written" in finding.what


@pytest.mark.parametrize(
    ("facts", "level", "says"),
    [
        ({"last_error": "PUT /api: 403\nforbidden"}, Level.FAULT, "PUT /api: 403 forbidden"),
        ({"refused": "unknown_item: plan: no such plan"}, Level.WARNING, "unknown_item: plan: no such plan"),
        ({"left_alone": ["LimitRange acme/x"]}, Level.WARNING, "LimitRange acme/x"),
    ],
)
def test_what_went_wrong_is_named_with_the_organization(
    cast: Cast, row: ClusterSync, facts: dict[str, Any], level: Level, says: str
) -> None:
    ClusterSync.objects.update(**facts)
    (finding,) = [one for one in cluster(NOON) if one.todo]
    assert finding.level == level
    assert f"{cast.acme.public_id} ({says})" in finding.what
