"""Workloads of a halted organization are stopped, and started again as they were when it is halted no more.

What a workload ran with is written in a row and committed before the cluster is asked to stop it.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from accounts.models import Organization
from quotas.kubernetes.cluster import Cluster, Object, ObjectMissing
from quotas.kubernetes.manifests import namespace_of
from quotas.kubernetes.resources import CRON_JOBS, DEPLOYMENTS, STATEFUL_SETS, Resource
from quotas.models import WorkloadScale

KINDS = {resource.kind: resource for resource in (DEPLOYMENTS, STATEFUL_SETS, CRON_JOBS)}


def follow_level(cluster: Cluster, organization: Organization, *, stopped: bool, at: datetime) -> None:
    """Stop what runs, or start again what was stopped. Raises ClusterError; what was done until then stays done."""
    if stopped:
        for resource, workload in _running(cluster, organization):
            _stop(cluster, organization, resource, workload, at)
        return
    for row in WorkloadScale.objects.filter(organization=organization, restored_at=None).order_by("pk"):
        _restore(cluster, row, at)


def _running(cluster: Cluster, organization: Organization) -> Iterator[tuple[Resource, Object]]:
    slugs = organization.projects.order_by("pk").values_list("slug", flat=True)
    for namespace in [namespace_of(organization.slug), *(namespace_of(organization.slug, slug) for slug in slugs)]:
        for resource in KINDS.values():
            for workload in cluster.list(resource, namespace)[0]:
                if _runs(resource, workload):
                    yield resource, workload


def _runs(resource: Resource, workload: Object) -> bool:
    if resource is CRON_JOBS:
        return not workload["spec"].get("suspend", False)
    return bool(_replicas(workload))


def _replicas(workload: Object) -> int:
    return int(workload["spec"].get("replicas", 1))  # the server's default


def _stop(cluster: Cluster, organization: Organization, resource: Resource, workload: Object, at: datetime) -> None:
    """A workload that somebody started again meanwhile is stopped again, and its newer count is what is kept."""
    metadata = workload["metadata"]
    counted = resource is not CRON_JOBS
    WorkloadScale.objects.update_or_create(
        organization=organization,
        namespace=metadata["namespace"],
        kind=resource.kind,
        name=metadata["name"],
        restored_at=None,
        defaults={"replicas": _replicas(workload) if counted else None},
        create_defaults={"replicas": _replicas(workload) if counted else None, "scaled_at": at},
    )
    cluster.patch(resource, workload, {"spec": {"replicas": 0} if counted else {"suspend": True}})


def _restore(cluster: Cluster, row: WorkloadScale, at: datetime) -> None:
    """A workload that is gone, or that somebody started meanwhile, is left as it is."""
    resource = KINDS[row.kind]
    workload = cluster.get(resource, row.namespace, row.name)
    if workload is not None and not _runs(resource, workload):
        changes = {"suspend": False} if row.replicas is None else {"replicas": row.replicas}
        with suppress(ObjectMissing):
            cluster.patch(resource, workload, {"spec": changes})
    WorkloadScale.objects.filter(pk=row.pk, restored_at=None).update(restored_at=at)
