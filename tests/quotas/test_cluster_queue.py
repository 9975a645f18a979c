"""The cluster's queue: conflicts, silence, an unreachable server, workers that overlap. Nothing is lost."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.enforcement import close_reason, open_reason
from accounts.models import Level
from quotas.kubernetes import apply, queue, rings
from quotas.kubernetes.cluster import Cluster, ClusterError, ObjectChanged, Unreachable
from quotas.kubernetes.queue import HELD, Outcome
from quotas.kubernetes.wanted import Wanted, wanted_of
from quotas.models import ClusterSync, Limit, WorkloadScale
from tests.api_server import TOKEN, Fault, kubeconfig
from tests.cast import NOON, Cast
from tests.cluster_scene import DEPLOYMENTS, ORGANIZATIONS, SECOND, Scene, beside_a_cluster, workload
from tests.ledger.raw_sql import execute


@pytest.fixture
def scene(cast: Cast, settings: Any, tmp_path: Path) -> Iterator[Scene]:
    yield from beside_a_cluster(cast, settings, tmp_path)


def quotas_only(method: str, path: str) -> bool:
    return method in ("POST", "PUT") and "hierarchicalresourcequotas" in path


def test_a_conflict_is_tried_again_from_what_is_there_then(scene: Scene) -> None:
    scene.assign("test-small")
    scene.settle()
    scene.assign("test-large")
    scene.server.faults.append(Fault(status=409, when=quotas_only))
    scene.settle(reading=False)
    assert scene.hard["pods"] == "50"
    row = scene.row()
    assert row.last_error.startswith("PUT /apis/hnc.x-k8s.io/v1alpha2/namespaces/acme")
    assert row.next_attempt_at is not None
    scene.now = row.next_attempt_at
    scene.settle()
    assert scene.hard["pods"] == "200"
    assert (scene.row().last_error, scene.row().attempts, scene.row().next_attempt_at) == ("", 0, None)


def test_an_answer_that_never_came_is_looked_for_and_not_sent_again(scene: Scene, settings: Any) -> None:
    settings.CLUSTER_TIMEOUT_SECONDS = 0.2
    scene.server.faults.append(Fault(silent_seconds=0.5, after_the_deed=True, when=quotas_only))
    scene.assign("test-small")
    scene.settle(reading=False)
    assert scene.quota is not None  # done, and nobody knows
    assert "Timeout" in scene.row().last_error
    settings.CLUSTER_TIMEOUT_SECONDS = 10
    scene.now += timedelta(minutes=5)
    scene.settle()
    assert scene.row().last_error == ""
    assert (
        scene.server.requests.count(("POST", "/apis/hnc.x-k8s.io/v1alpha2/namespaces/acme/hierarchicalresourcequotas"))
        == 1
    )


def test_a_connection_that_is_cut_is_tried_again(scene: Scene) -> None:
    scene.server.faults.append(Fault(cut=True, when=lambda method, path: method == "PATCH"))
    scene.assign("test-small")
    scene.settle(reading=False)
    assert scene.noted == {}
    scene.now += timedelta(minutes=5)
    scene.settle()
    assert scene.noted["plan-id"] == "test-small"


def test_an_unreachable_server_costs_one_try_a_ring_and_loses_nothing(
    scene: Scene, settings: Any, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    settings.KUBECONFIG_PATH = kubeconfig(tmp_path, f"http://127.0.0.1:{port}")
    scene.assign("test-small")
    queue.mark([scene.cast.strangers.pk, scene.cast.acme.pk], at=scene.now)
    assert scene.ring() == 1
    assert scene.ring() == 1  # the other one: the first waits
    assert scene.ring() == 0
    with pytest.raises(Unreachable):
        rings.read_cluster(scene.now)
    for _ in range(12):
        scene.now += timedelta(minutes=10)
        scene.ring()
        scene.ring()
    assert scene.row().attempts > 12  # never given up
    settings.KUBECONFIG_PATH = kubeconfig(tmp_path, scene.server.url)
    scene.now += timedelta(minutes=10)
    scene.settle()
    assert scene.hard["pods"] == "50"


def test_what_fails_for_one_organization_holds_up_no_other(scene: Scene) -> None:
    scene.server.put(ORGANIZATIONS, {"metadata": {"name": "elsewhere", "namespace": "elsewhere"}})
    scene.server.faults.append(Fault(status=403, times=99, when=lambda _, path: "/namespaces/acme/limitranges" in path))
    scene.assign("test-small")
    queue.mark([scene.cast.strangers.pk], at=scene.now)
    scene.settle()
    assert "403" in scene.row().last_error
    done = ClusterSync.objects.get(organization=scene.cast.strangers)
    assert (done.last_error, done.next_attempt_at) == ("", None)


def test_a_project_without_its_namespace_holds_up_nothing_else(scene: Scene) -> None:
    Limit.objects.create(
        organization=scene.cast.acme,
        project=scene.cast.project,
        kind="project_quota",
        name="project-quota",
        values={"pods": "1"},
        computed_at=NOON,
    )
    scene.assign("test-small")
    scene.settle()
    assert scene.hard["pods"] == "50"
    assert scene.noted["plan-id"] == "test-small"
    assert 'namespaces "acme-training" not found' in scene.row().last_error
    assert scene.row().next_attempt_at is not None


def test_a_wish_that_comes_during_the_call_is_not_lost(scene: Scene) -> None:
    key = scene.cast.acme.pk
    queue.mark([key], at=NOON)

    def called(row: ClusterSync, at: datetime) -> Outcome:
        queue.mark([key], at=at)
        return Outcome()

    assert queue.work_off(called, lambda: NOON, limit=1) == 1
    assert scene.row().next_attempt_at == NOON
    assert queue.work_off(lambda row, at: Outcome(), lambda: NOON, limit=5) == 1
    assert scene.row().next_attempt_at is None


def test_a_ring_ends_after_a_few_seconds_and_the_next_goes_on(scene: Scene) -> None:
    queue.mark([scene.cast.acme.pk, scene.cast.strangers.pk], at=NOON)
    clock = iter([NOON, NOON, *[NOON + queue.BUSY] * 4])
    assert queue.work_off(lambda row, at: Outcome(), lambda: next(clock), limit=9) == 1
    assert queue.work_off(lambda row, at: Outcome(), lambda: next(clock), limit=1) == 1


def test_a_worker_that_dies_leaves_a_row_that_is_due_again(scene: Scene) -> None:
    queue.mark([scene.cast.acme.pk], at=NOON)

    def dies(row: ClusterSync, at: datetime) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        queue.work_off(dies, lambda: NOON, limit=1)
    just_before = NOON + HELD - SECOND
    assert queue.work_off(lambda row, at: Outcome(), lambda: just_before, limit=5) == 0
    assert queue.work_off(lambda row, at: Outcome(), lambda: NOON + HELD, limit=5) == 1


def test_a_worker_that_was_overtaken_has_no_say(scene: Scene) -> None:
    queue.mark([scene.cast.acme.pk], at=NOON)

    def slow(row: ClusterSync, at: datetime) -> Outcome:
        assert queue.work_off(lambda row, at: Outcome(["theirs"]), lambda: NOON + HELD, limit=1) == 1
        raise ClusterError("too late")

    assert queue.work_off(slow, lambda: NOON, limit=1) == 1
    assert (scene.row().last_error, scene.row().left_alone, scene.row().next_attempt_at) == ("", ["theirs"], None)


def test_an_older_wish_never_lands_on_a_newer_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.assign("test-small")
    scene.settle()
    reached = rings.cluster()
    assert reached is not None

    def overtaken(organization: Any) -> Wanted:
        """Between our reading and our writing, another worker writes newer rows."""
        monkeypatch.setattr(apply, "wanted_of", wanted_of)
        old = wanted_of(organization)
        scene.assign("test-large")
        apply.apply(reached, scene.row(), organization, at=scene.now)
        return replace(old, standing=None)

    monkeypatch.setattr(apply, "wanted_of", overtaken)
    with pytest.raises(ObjectChanged):
        apply.apply(reached, scene.row(), scene.cast.acme, at=scene.now)
    assert scene.hard["pods"] == "200"
    assert scene.noted["plan-id"] == "test-large"


def test_the_cluster_is_called_with_no_transaction_open(
    committed_db: str, cast: Cast, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at: list[bool] = []
    call = Cluster._call

    def watched(self: Cluster, *arguments: Any, **options: Any) -> Any:
        open_at.append(connection.in_atomic_block)
        return call(self, *arguments, **options)

    monkeypatch.setattr(Cluster, "_call", watched)
    for scene in beside_a_cluster(cast, settings, tmp_path):
        scene.assign("test-small")
        scene.settle()
        assert scene.hard["pods"] == "50"
    assert len(open_at) > 10
    assert not any(open_at)


def test_without_a_kubeconfig_nothing_happens(scene: Scene, settings: Any) -> None:
    settings.KUBECONFIG_PATH = None
    scene.assign("test-small")
    scene.settle()
    assert scene.server.requests == []
    assert not ClusterSync.objects.exists()


def test_no_error_tells_the_token(scene: Scene, settings: Any) -> None:
    text = scene.kubeconfig.read_text()
    scene.kubeconfig.write_text(text.replace(TOKEN, "wrong-token"))
    scene.assign("test-small")
    scene.settle(reading=False)
    assert "401" in scene.row().last_error
    assert "wrong-token" not in scene.row().last_error
    scene.kubeconfig.write_text("{: wrong-token")
    with pytest.raises(ClusterError) as refusal:
        rings.cluster()
    assert "wrong-token" not in str(refusal.value)


def test_limits_are_exported_as_manifests_without_a_cluster(scene: Scene, settings: Any) -> None:
    settings.KUBECONFIG_PATH = None
    scene.assign("test-small")
    for name in ("acme", scene.cast.acme.public_id):
        printed = StringIO()
        call_command("export_limits", name, stdout=printed)
        exported = json.loads(printed.getvalue())
        assert exported["kind"] == "List"
        names = {item["kind"]: item["metadata"]["name"] for item in exported["items"]}
        assert names == {
            "HierarchicalResourceQuota": "plan-quota",
            "LimitRange": "default-resource-limits",
            "ConfigMap": "external-ips",
        }
    assert scene.server.requests == []


@pytest.mark.parametrize("name", ["nobody", "org_zzz", "", "ac\x00me"])
def test_an_organization_that_is_not_there_has_no_manifests(cast: Cast, name: str) -> None:
    with pytest.raises(CommandError, match="not_found: organization"):
        call_command("export_limits", name, stdout=StringIO())


def test_what_a_workload_ran_with_outlives_answers_that_are_lost(scene: Scene) -> None:
    scene.assign("test-small")
    scene.server.put(DEPLOYMENTS, workload("web", replicas=3))
    scene.settle()
    open_reason(scene.cast.acme, "test", Level.HALTED, why="a test", at=scene.now)

    def deployments(method: str, path: str) -> bool:
        return method == "PATCH" and "deployments" in path

    scene.server.faults += [Fault(status=500, when=deployments), Fault(cut=True, after_the_deed=True, when=deployments)]
    for _ in range(3):
        scene.now += timedelta(minutes=5)
        scene.settle()
    assert scene.server.objects[(DEPLOYMENTS, "acme", "web")]["spec"]["replicas"] == 0
    kept = WorkloadScale.objects.get()
    assert (kept.replicas, kept.restored_at) == (3, None)
    close_reason(scene.cast.acme, "test", at=scene.now)
    scene.settle()
    assert scene.server.objects[(DEPLOYMENTS, "acme", "web")]["spec"]["replicas"] == 3


def scale(cast: Cast, **fields: Any) -> WorkloadScale:
    facts = {"namespace": "acme", "kind": "Deployment", "name": "web", "replicas": 3, "scaled_at": NOON, **fields}
    return WorkloadScale.objects.create(organization=cast.acme, **facts)


@pytest.mark.parametrize(
    "fields",
    [{}, {"name": "b", "replicas": 0}, {"name": "c", "replicas": None}, {"name": "d", "kind": "CronJob"}],
    ids=["open twice", "no replicas", "nothing kept", "a count for a cron job"],
)
def test_a_scale_says_what_to_restore_and_is_open_once(cast: Cast, fields: dict[str, Any]) -> None:
    scale(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        scale(cast, **fields)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE workload_scales SET replicas = 9",
        "UPDATE workload_scales SET restored_at = NULL",
        "UPDATE workload_scales SET name = 'other'",
        "DELETE FROM workload_scales",
    ],
)
def test_a_closed_scale_never_changes(cast: Cast, statement: str) -> None:
    scale(cast, restored_at=NOON)
    with pytest.raises(Exception, match=r"closed once|permission denied"), transaction.atomic():
        execute(statement)
