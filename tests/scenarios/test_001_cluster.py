"""The end-to-end cases of 001: what is assigned here stands in the cluster, what is annotated there holds here."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.closing import close_organization
from quotas.models import Limit, Subscription, WorkloadScale
from quotas.project_quotas import remove_project_quota, set_project_quota
from quotas.subscription_clock import drain as move_subscriptions
from quotas.subscriptions import move
from tests.cast import ACTOR, Cast
from tests.cluster_scene import (
    CONFIG_MAPS,
    CRON_JOBS,
    DEPLOYMENTS,
    LABELS,
    ORGANIZATIONS,
    PLANS,
    PROJECT_QUOTAS,
    QUOTAS,
    RANGES,
    STATEFUL_SETS,
    Scene,
    beside_a_cluster,
    one_person_publishes,
    publish,
    workload,
)


@pytest.fixture
def scene(cast: Cast, settings: Any, tmp_path: Path) -> Iterator[Scene]:
    yield from beside_a_cluster(cast, settings, tmp_path)


def labels(found: dict[str, Any] | None) -> dict[str, str]:
    assert found is not None
    kept: dict[str, str] = found["metadata"]["labels"]
    return kept


def test_001_15_an_active_plan_gets_quota_and_limit_range(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    assert scene.hard == {
        "requests.cpu": "2300m",  # two cores, and 100m for each of three projects
        "requests.memory": "4480Mi",
        "requests.storage": "20Gi",
        "limits.cpu": "4600m",  # twice that
        "limits.memory": "8960Mi",
        "pods": "50",
        "services.loadbalancers": "10",
    }
    for found in (scene.quota, scene.range):
        assert labels(found) == {f"{LABELS}auto-managed": "true", f"{LABELS}plan-id": "test-small"}
    assert scene.range is not None
    container, pod, claim = scene.range["spec"]["limits"]
    assert (container["type"], pod["type"], claim["type"]) == ("Container", "Pod", "PersistentVolumeClaim")
    assert container["default"] == {"cpu": "250m", "memory": "256Mi"}
    assert container["defaultRequest"] == {"cpu": "100m", "memory": "128Mi"}
    assert (container["min"]["cpu"], container["max"]["cpu"]) == ("10m", "2")
    assert claim["max"] == {"storage": "20Gi"}
    assert scene.server.found(CONFIG_MAPS, "acme", "external-ips")["data"] == {"public": "1"}  # type: ignore[index]
    assert scene.noted.items() >= {"plan-id": "test-small", "plan-name": "Test Small", "subscription": "active"}.items()


def test_001_16_a_plan_annotated_in_the_cluster_updates_both(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", plan_id="test-large")
    scene.settle()
    assert (scene.hard["requests.storage"], scene.hard["pods"]) == ("100Gi", "200")
    assert scene.range is not None
    assert scene.range["spec"]["limits"][0]["default"]["cpu"] == "500m"
    assert labels(scene.quota)[f"{LABELS}plan-id"] == labels(scene.range)[f"{LABELS}plan-id"] == "test-large"
    assert Limit.objects.filter(organization=scene.cast.acme, plan_code="test-large").exists()


def test_001_17_an_addon_annotated_in_the_cluster_is_added_to_the_plan(scene: Scene) -> None:
    scene.server.annotate(
        ORGANIZATIONS,
        "acme",
        "acme",
        plan_id="test-small",
        subscription="active",
        addons='[{"addonId": "test-turbo", "quantity": 1}]',
    )
    scene.settle()
    assert scene.hard["requests.storage"] == "30Gi"  # 20 + 10
    assert scene.hard["requests.cpu"] == "4300m"


def test_001_20_a_suspended_organization_has_the_suspended_plan(scene: Scene) -> None:
    scene.assign("test-small", test_turbo=2)
    scene.settle()
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", subscription="suspended", suspended_at="2099-01-01T00:00:00Z")
    scene.settle()
    assert (scene.hard["requests.cpu"], scene.hard["pods"]) == ("500m", "10")
    assert scene.hard["services.loadbalancers"] == "0"
    assert scene.noted["subscription"] == "suspended"
    assert move_subscriptions(scene.now + timedelta(days=6)) == 0


def test_001_22_after_the_grace_workloads_are_scaled_down_and_their_counts_kept(scene: Scene) -> None:
    scene.assign("test-small")
    server = scene.server
    server.put(DEPLOYMENTS, workload("web", replicas=3))
    server.put(DEPLOYMENTS, workload("idle", replicas=0))
    server.put(STATEFUL_SETS, workload("db", "acme-training", replicas=2))
    server.put(CRON_JOBS, workload("nightly", "acme-training", schedule="0 0 * * *"))
    server.put(CRON_JOBS, workload("paused", suspend=True, schedule="0 0 * * *"))
    server.put(DEPLOYMENTS, workload("theirs", "elsewhere", replicas=1))
    scene.settle()
    suspended = Subscription.objects.get(organization=scene.cast.acme)
    move(suspended.pk, "suspended", actor=ACTOR, reason="not paid", at=scene.now)
    scene.settle()
    assert server.found(DEPLOYMENTS, "acme", "web")["spec"]["replicas"] == 3  # type: ignore[index]
    scene.now += timedelta(days=7)
    move_subscriptions(scene.now)
    scene.settle()
    assert running(scene) == {"web": 0, "idle": 0, "db": 0, "nightly": True, "paused": True, "theirs": 1}
    kept = WorkloadScale.objects.filter(restored_at=None).values_list("kind", "namespace", "name", "replicas")
    assert sorted(kept, key=str) == [
        ("CronJob", "acme-training", "nightly", None),
        ("Deployment", "acme", "web", 3),
        ("StatefulSet", "acme-training", "db", 2),
    ]


def test_001_23_a_new_subscription_starts_them_again_as_they_were(scene: Scene) -> None:
    test_001_22_after_the_grace_workloads_are_scaled_down_and_their_counts_kept(scene)
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", subscription="active")
    scene.settle()
    assert running(scene) == {"web": 3, "idle": 0, "db": 2, "nightly": False, "paused": True, "theirs": 1}
    assert not WorkloadScale.objects.filter(restored_at=None).exists()
    assert scene.hard["pods"] == "50"
    assert "suspended-at" not in scene.noted


def running(scene: Scene) -> dict[str, Any]:
    found = {}
    for collection in (DEPLOYMENTS, STATEFUL_SETS, CRON_JOBS):
        for (kind, _, name), body in scene.server.objects.items():
            if kind == collection:
                found[name] = body["spec"].get("suspend", body["spec"].get("replicas"))
    return found


def test_001_24_without_a_plan_there_is_neither(scene: Scene) -> None:
    scene.settle()
    assert scene.quota is None
    assert scene.range is None
    assert scene.noted == {}
    assert not Limit.objects.filter(organization=scene.cast.acme).exists()


def test_001_25_an_organization_removed_from_the_cluster_takes_both_along(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    assert scene.quota is not None
    scene.server.remove(ORGANIZATIONS, "acme", "acme")
    scene.settle()
    assert scene.quota is None
    assert scene.range is None
    assert scene.server.found(CONFIG_MAPS, "acme", "external-ips") is None


def test_001_25_an_organization_closed_here_loses_both_there(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    assert scene.quota is not None
    close_organization(scene.cast.acme.pk, actor=ACTOR, reason="they left", at=scene.now)
    scene.settle()
    assert (scene.quota, scene.range) == (None, None)
    assert scene.noted["subscription"] == "suspended"
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", subscription="active")
    scene.settle()
    assert scene.row().refused.startswith("closed: organization")
    assert scene.quota is None


def test_001_26_a_limit_range_of_the_users_own_is_left_alone(scene: Scene) -> None:
    own = {"metadata": {"name": "default-resource-limits", "namespace": "acme"}, "spec": {"limits": [{"type": "Pod"}]}}
    stored = scene.server.put(RANGES, own)
    scene.assign("test-small")
    scene.settle()
    assert scene.range == stored
    assert scene.hard["pods"] == "50"
    assert scene.row().left_alone == ["LimitRange acme/default-resource-limits"]
    Limit.objects.filter(organization=scene.cast.acme).delete()
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", anything="wakes it up")
    scene.settle()
    assert scene.range == stored


def test_001_26_one_that_our_own_row_calls_theirs_is_left_alone_too(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    Limit.objects.filter(kind="limit_range").update(auto_managed=False)
    assert scene.range is not None
    edited = scene.server.put(RANGES, {**scene.range, "spec": {"limits": []}})
    scene.settle()
    assert scene.range == edited


def test_001_37_the_cap_of_one_project_stands_in_its_namespace(scene: Scene) -> None:
    scene.assign("test-small")
    scene.server.namespaces.add("acme-training")
    set_project_quota(scene.cast.project, {"requests.cpu": "1"}, actor=ACTOR, reason="a small project", at=scene.now)
    scene.settle()
    found = scene.server.found(PROJECT_QUOTAS, "acme-training", "project-quota")
    assert found is not None
    assert found["spec"] == {"hard": {"requests.cpu": "1"}}
    remove_project_quota(scene.cast.project, actor=ACTOR, reason="it grew", at=scene.now)
    scene.settle()
    assert scene.server.found(PROJECT_QUOTAS, "acme-training", "project-quota") is None


def test_001_45_what_somebody_changes_in_the_cluster_is_put_right(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    assert scene.quota is not None
    scene.server.put(QUOTAS, {**scene.quota, "spec": {"hard": {"pods": "9999"}}})
    scene.server.remove(RANGES, "acme", "default-resource-limits")
    scene.settle()
    assert scene.hard["pods"] == "50"
    assert scene.range is not None


def test_001_45_our_own_writing_is_never_an_instruction(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    writes, messages = sum(scene.server.writes.values()), Subscription.history.count()  # type: ignore[attr-defined]
    scene.settle()
    assert sum(scene.server.writes.values()) == writes
    assert Subscription.history.count() == messages  # type: ignore[attr-defined]


def test_001_45_a_change_of_ours_is_annotated_and_the_older_annotation_does_not_come_back(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    scene.assign("test-large", test_turbo=3)
    scene.settle()
    assert scene.noted["plan-id"] == "test-large"
    assert scene.noted["addons"] == '[{"addonId":"test-turbo","quantity":3}]'
    assert Subscription.objects.get(organization=scene.cast.acme).plan.code == "test-large"  # type: ignore[union-attr]


def test_001_45_with_a_provider_annotations_are_put_right_and_not_obeyed(scene: Scene, settings: Any) -> None:
    settings.BILLING_PROVIDER = "manual"
    scene.assign("test-small")
    scene.settle()
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", plan_id="test-large", subscription="suspended")
    scene.settle()
    assert (scene.noted["plan-id"], scene.noted["subscription"]) == ("test-small", "active")
    assert scene.hard["pods"] == "50"


def test_001_45_an_instruction_that_cannot_be_followed_stays_with_its_reason(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    scene.server.annotate(ORGANIZATIONS, "acme", "acme", plan_id="test-huge")
    scene.settle()
    assert scene.noted["plan-id"] == "test-huge"
    assert "test-huge" in scene.row().refused
    assert scene.hard["pods"] == "50"
    scene.assign("test-large")
    scene.settle()
    assert scene.noted["plan-id"] == "test-large"
    assert scene.row().refused == ""


def test_001_45_the_config_map_is_followed_and_written(scene: Scene) -> None:
    one_person_publishes(scene.cast)
    scene.assign("test-small")
    scene.settle()
    written = scene.server.found(CONFIG_MAPS, "kube-dc", "billing-plans")
    assert written is not None
    assert "test-large" in written["data"]["plans.yaml"]
    edited = PLANS.replace("pods: 50", "pods: 60")
    scene.server.put(CONFIG_MAPS, {**written, "data": {"plans.yaml": edited}})
    scene.settle()
    assert scene.hard["pods"] == "60"
    kept = scene.server.found(CONFIG_MAPS, "kube-dc", "billing-plans")
    assert kept is not None
    assert kept["data"]["plans.yaml"] == edited  # in the operator's own words
    publish(PLANS.replace("pods: 50", "pods: 70"), at=scene.now)
    scene.settle()
    ours = scene.server.found(CONFIG_MAPS, "kube-dc", "billing-plans")
    assert ours is not None
    assert "pods: 70" in ours["data"]["plans.yaml"]
    assert scene.hard["pods"] == "70"


def test_001_45_a_broken_config_map_stays_and_the_last_good_catalog_too(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    broken = {"metadata": {"name": "billing-plans", "namespace": "kube-dc"}, "data": {"plans.yaml": "plans: {}"}}
    scene.server.put(CONFIG_MAPS, broken)
    scene.settle()
    kept = scene.server.found(CONFIG_MAPS, "kube-dc", "billing-plans")
    assert kept is not None
    assert kept["data"] == {"plans.yaml": "plans: {}"}
    assert scene.hard["pods"] == "50"
