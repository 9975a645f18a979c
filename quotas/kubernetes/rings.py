"""The rings and messages that set the cluster's work going. Without a kubeconfig all of them do nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.models import BillingAccount, Organization, OutboxMessage
from accounts.outbox import emit_each
from accounts.public_ids import encode
from quotas import topics
from quotas.kubernetes import apply, catalog_copy, follow, queue
from quotas.kubernetes.cluster import Cluster
from quotas.kubernetes.queue import Outcome
from quotas.models import ClusterSync, Subscription


def cluster() -> Cluster | None:
    """The cluster of KUBECONFIG_PATH, or None where no path is set. Raises ClusterError where the file says none."""
    if not settings.KUBECONFIG_PATH:
        return None
    return Cluster.of_kubeconfig(settings.KUBECONFIG_PATH, timeout_seconds=settings.CLUSTER_TIMEOUT_SECONDS)


def drain(now: Callable[[], datetime], *, limit: int = 1000) -> int:
    """Work off what is due, each row at a moment of its own; how many were tried."""
    if not settings.KUBECONFIG_PATH or not queue.anything_due(now()):
        return 0
    reached = cluster()
    assert reached is not None  # noqa: S101 - a path is set
    return queue.work_off(lambda row, at: _apply(reached, row, at), now, limit=limit)


def read_cluster(at: datetime) -> int:
    """Mark what changed in the cluster; how many objects. Raises ClusterError: the next ring reads what this missed."""
    reached = cluster()
    return follow.follow(reached, at=at) if reached else 0


def organization_changed(message: OutboxMessage, *, at: datetime) -> None:
    """The relay's: limits, subscription or enforcement level of an organization changed."""
    if settings.KUBECONFIG_PATH and message.organization_id:
        queue.mark([message.organization_id], at=at)


def catalog_published(message: OutboxMessage, *, at: datetime) -> None:
    """The relay's: another catalog is in force."""
    if settings.KUBECONFIG_PATH:
        queue.mark([None], at=at)


def enforcement_changed(*, subject: BillingAccount | Organization, at: datetime, **_: Any) -> None:
    """A level may change with no limit changing: restricted becomes halted. Told by the outbox, so that an act on
    money never waits for a row of the cluster's queue."""
    if not settings.KUBECONFIG_PATH:
        return
    if isinstance(subject, Organization):
        concerned = [subject.pk]
    else:
        paid = Subscription.objects.filter(billing_account=subject).order_by("organization_id")
        concerned = list(paid.values_list("organization_id", flat=True))
    told = {key: {"organization": encode(Organization.PUBLIC_PREFIX, key)} for key in concerned}
    emit_each(topics.ENFORCEMENT_CHANGED, told, at=at)


def _apply(reached: Cluster, row: ClusterSync, at: datetime) -> Outcome:
    if row.organization is None:
        return catalog_copy.apply(reached, row, at=at)
    return apply.apply(reached, row, row.organization, at=at)
