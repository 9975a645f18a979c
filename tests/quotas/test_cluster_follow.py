"""Reading the cluster: watches, what was missed, whose an object is, and instructions whose answer was lost."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quotas.kubernetes import cluster as cluster_module
from quotas.kubernetes import follow, rings
from quotas.models import ClusterCursor, ClusterSync
from tests.api_server import Fault
from tests.cast import Cast
from tests.cluster_scene import (
    CONFIG_MAPS,
    ORGANIZATIONS,
    PLANS,
    PROJECT_QUOTAS,
    QUOTAS,
    Scene,
    beside_a_cluster,
    one_person_publishes,
    publish,
)


@pytest.fixture
def scene(cast: Cast, settings: Any, tmp_path: Path) -> Iterator[Scene]:
    yield from beside_a_cluster(cast, settings, tmp_path)


def due(scene: Scene) -> set[str]:
    rows = ClusterSync.objects.filter(next_attempt_at__isnull=False, organization__isnull=False)
    return {row.organization.slug for row in rows if row.organization}


def test_a_watch_hears_what_happens_while_it_waits(scene: Scene) -> None:
    scene.settle()
    scene.server.longest_watch_seconds = 0.6
    annotating = threading.Timer(0.2, scene.server.annotate, (ORGANIZATIONS, "acme", "acme"), {"note": "now"})
    annotating.start()
    assert rings.read_cluster(scene.now) == 1
    annotating.join()
    assert due(scene) == {"acme"}


def test_a_watch_from_a_forgotten_version_begins_afresh_and_looks_at_everyone(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    scene.server.remove(QUOTAS, "acme", "plan-quota")
    scene.server.forget_history()
    scene.settle()
    assert scene.quota is not None
    versions = set(ClusterCursor.objects.values_list("resource_version", flat=True))
    assert all(int(version) >= scene.server.oldest for version in versions)


def test_the_versions_of_another_cluster_mean_nothing_here(scene: Scene) -> None:
    scene.settle()
    ClusterCursor.objects.update(resource_version="999999999")
    scene.settle()
    versions = set(ClusterCursor.objects.values_list("resource_version", flat=True))
    assert all(int(version) <= scene.server.version for version in versions)


def test_a_long_list_is_read_page_by_page(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_PAGE", 2)
    for number in range(4):
        scene.server.put(ORGANIZATIONS, {"metadata": {"name": f"o{number}", "namespace": f"o{number}"}})
    reached = rings.cluster()
    assert reached is not None
    watched = next(one for one in follow.WATCHED if one.resource.plural == "organizations")
    objects, _ = reached.list(watched.resource)
    assert [one["metadata"]["name"] for one in objects] == ["acme", "o0", "o1", "o2", "o3"]


@pytest.mark.parametrize(
    ("namespace", "whose"), [("acme", {"acme"}), ("acme-training", {"acme"}), ("acme-other", set()), ("kube", set())]
)
def test_a_namespace_is_an_organizations_or_its_projects(scene: Scene, namespace: str, whose: set[str]) -> None:
    scene.settle()
    scene.server.put(PROJECT_QUOTAS, {"metadata": {"name": "project-quota", "namespace": namespace}, "spec": {}})
    rings.read_cluster(scene.now)
    assert due(scene) == whose


def test_an_instruction_is_followed_once_though_the_answer_was_lost(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    scene.server.faults.append(Fault(status=500, when=lambda method, path: method == "PATCH"))
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", plan_id="test-large")
    rings.read_cluster(scene.now)
    scene.ring()
    assert "500" in scene.row().last_error  # followed, but the cluster has not heard
    scene.assign("test-small", test_turbo=1)
    scene.settle()
    assert scene.noted["plan-id"] == "test-small"
    assert scene.hard["pods"] == "50"
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", plan_id="test-large")
    scene.settle()
    assert scene.hard["pods"] == "200"  # said again, it is a new instruction


def test_a_catalog_is_followed_once_though_the_answer_was_lost(scene: Scene) -> None:
    one_person_publishes(scene.cast)
    scene.assign("test-small")
    scene.settle()
    scene.server.faults.append(Fault(status=500, when=lambda method, path: method == "PATCH" and "configmaps" in path))
    edited = {"plans.yaml": PLANS.replace("pods: 50", "pods: 60")}
    scene.server.put(CONFIG_MAPS, {"metadata": {"name": "billing-plans", "namespace": "kube-dc"}, "data": edited})
    scene.settle()
    assert scene.hard["pods"] == "60"
    publish(PLANS.replace("pods: 50", "pods: 70"), at=scene.now)
    scene.settle()
    assert scene.hard["pods"] == "70"


def test_a_catalog_that_needs_a_second_person_waits_in_the_cluster_too(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    edited = {"plans.yaml": PLANS.replace("pods: 50", "pods: 60")}
    scene.server.put(CONFIG_MAPS, {"metadata": {"name": "billing-plans", "namespace": "kube-dc"}, "data": edited})
    scene.settle()
    assert scene.hard["pods"] == "50"
    kept = scene.server.found(CONFIG_MAPS, "kube-dc", "billing-plans")
    assert kept is not None
    assert kept["data"] == edited
    assert "waits to be published" in ClusterSync.objects.get(organization=None).refused


@pytest.mark.parametrize(
    "annotations",
    [
        {"plan_id": "test-small"},
        {"subscription": "active"},
        {"plan_id": "test-small", "subscription": "incomplete"},
        {"plan_id": "test-small", "subscription": "gold"},
        {"plan_id": "x" * 100, "subscription": "active"},
        {"plan_id": "test-small", "subscription": "active", "addons": "[["},
        {"plan_id": "test-small", "subscription": "active", "addons": "[" * 20_000},
        {"plan_id": "test-small", "subscription": "active", "addons": '[{"addonId":"test-turbo","quantity":-1}]'},
        {"plan_id": "test-small", "subscription": "active", "addons": '[{"addonId":"test-turbo","quantity":true}]'},
        {"plan_id": "test-small", "subscription": "active", "addons": '[{"addonId":"test-turbo","quantity":1e400}]'},
        {"plan_id": "test-small", "subscription": "active", "addons": '[{"addonId":"nitro","quantity":1}]'},
        {"plan_id": "test-small\x00", "subscription": "active"},
    ],
)
def test_what_cannot_be_followed_changes_nothing_and_says_why(scene: Scene, annotations: dict[str, str]) -> None:
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", **annotations)
    scene.settle()
    assert scene.quota is None
    assert ": " in scene.row().refused
    assert scene.noted == {word.replace("_", "-"): value for word, value in annotations.items()}
