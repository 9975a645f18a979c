"""Manifests and annotations as pure text."""

from datetime import UTC, datetime

import pytest

from quotas.kubernetes.annotations import DIGEST, Standing, instruction, instructs, written
from quotas.kubernetes.manifests import LimitFacts, corrected, drifted, is_ours, manifest

RANGE = {
    "defaultCPU": "500m",
    "defaultMemory": "512Mi",
    "defaultRequestCPU": "250m",
    "defaultRequestMem": "256Mi",
    "maxCPU": "8",
    "maxMemory": "24Gi",
    "minCPU": "1m",
    "minMemory": "1Mi",
    "maxPodCPU": "8",
    "maxPodMemory": "24Gi",
    "maxPVCStorage": "160Gi",
    "minPVCStorage": "10Mi",
}
QUOTA = LimitFacts("hierarchical_resource_quota", "acme", {"requests.cpu": "10300m", "pods": "200"}, "pro-pool")
PRO = Standing("active", "pro-pool", "Pro Pool", (("turbo-x1", 1),))


def test_a_limit_range_has_three_items() -> None:
    assert manifest(LimitFacts("limit_range", "acme", RANGE, "pro-pool")) == {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {
            "name": "default-resource-limits",
            "namespace": "acme",
            "labels": {"billing.kube-dc.com/auto-managed": "true", "billing.kube-dc.com/plan-id": "pro-pool"},
        },
        "spec": {
            "limits": [
                {
                    "type": "Container",
                    "default": {"cpu": "500m", "memory": "512Mi"},
                    "defaultRequest": {"cpu": "250m", "memory": "256Mi"},
                    "max": {"cpu": "8", "memory": "24Gi"},
                    "min": {"cpu": "1m", "memory": "1Mi"},
                },
                {"type": "Pod", "max": {"cpu": "8", "memory": "24Gi"}},
                {"type": "PersistentVolumeClaim", "max": {"storage": "160Gi"}, "min": {"storage": "10Mi"}},
            ]
        },
    }


def test_the_quota_of_quotas_is_of_its_own_group() -> None:
    found = manifest(QUOTA)
    assert (found["apiVersion"], found["kind"]) == ("hnc.x-k8s.io/v1alpha2", "HierarchicalResourceQuota")
    assert found["metadata"]["name"] == "plan-quota"
    assert found["spec"] == {"hard": {"requests.cpu": "10300m", "pods": "200"}}


@pytest.mark.parametrize(("cpu", "differs"), [("10300m", False), ("10.3", False), ("10", True), ("", True)])
def test_the_same_quantity_in_other_words_is_no_drift(cpu: str, differs: bool) -> None:
    current = manifest(QUOTA)
    current["spec"]["hard"]["requests.cpu"] = cpu
    assert drifted(current, manifest(QUOTA)) is differs


def test_a_correction_keeps_what_others_noted_and_the_version_that_was_read() -> None:
    current = manifest(LimitFacts("hierarchical_resource_quota", "acme", {"pods": "1"}, "dev-pool"))
    current["metadata"] |= {"resourceVersion": "7", "annotations": {"team": "blue"}, "finalizers": ["x"]}
    current["metadata"]["labels"]["team"] = "blue"
    fixed = corrected(current, manifest(QUOTA))
    assert not drifted(fixed, manifest(QUOTA))
    assert fixed["metadata"]["labels"]["team"] == "blue"
    kept = {key: fixed["metadata"][key] for key in ("resourceVersion", "annotations", "finalizers")}
    assert kept == {"resourceVersion": "7", "annotations": {"team": "blue"}, "finalizers": ["x"]}


@pytest.mark.parametrize("labels", [None, {}, {"billing.kube-dc.com/auto-managed": "false"}])
def test_an_object_without_the_label_is_not_ours(labels: dict[str, str] | None) -> None:
    assert not is_ours({"metadata": {"labels": labels}})
    assert is_ours(manifest(QUOTA))


def test_annotations_are_those_of_the_platform() -> None:
    suspended = Standing("suspended", "pro-pool", "Pro Pool", (), datetime(2026, 3, 1, 12, tzinfo=UTC))
    texts = written(suspended)
    assert len(texts.pop(DIGEST) or "") == 16
    assert texts == {
        "billing.kube-dc.com/subscription": "suspended",
        "billing.kube-dc.com/plan-id": "pro-pool",
        "billing.kube-dc.com/plan-name": "Pro Pool",
        "billing.kube-dc.com/addons": "[]",
        "billing.kube-dc.com/suspended-at": "2026-03-01T12:00:00Z",
    }
    assert set(written(None).values()) == {None}


def test_only_what_somebody_else_wrote_instructs() -> None:
    ours = {key: value for key, value in written(PRO).items() if value is not None}
    assert not instructs(None)
    assert not instructs({"team": "blue"})
    assert not instructs(ours)
    assert not instructs({**ours, "team": "blue"})
    for field in ("plan-id", "addons", "subscription", "plan-name", "suspended-at"):
        assert instructs({**ours, f"billing.kube-dc.com/{field}": "other"})
    assert instructs({DIGEST: ours[DIGEST]})  # the five were taken away
    assert instructs({key: value for key, value in ours.items() if key != DIGEST})


def test_what_we_write_reads_as_what_we_meant() -> None:
    ours = {key: value for key, value in written(PRO).items() if value is not None}
    read = instruction(ours)
    assert (read.status, read.plan_id, read.addons) == ("active", "pro-pool", (("turbo-x1", 1),))
