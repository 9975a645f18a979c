"""What the cluster says of an organization's limits, asked while somebody waits for the answer."""

from dataclasses import dataclass

import structlog
from django.conf import settings

from accounts.models import Organization
from billing_site.console.envelope import Unreachable
from quotas.kubernetes.cluster import Cluster, ClusterError
from quotas.kubernetes.manifests import PLACES
from quotas.kubernetes.resources import CONFIG_MAPS

log = structlog.stdlib.get_logger("billing_site.console")

LONGEST_SECONDS = 3
_ASKED = ("hierarchical_resource_quota", "limit_range")


@dataclass(frozen=True)
class Standing:
    """Which of an organization's limits are in the cluster."""

    quota: bool
    limit_range: bool


def standing(organization: Organization) -> Standing | None:
    """None where there is no cluster. Raises Unreachable."""
    reached = _cluster()
    if reached is None:
        return None
    try:
        found = [reached.get(PLACES[kind].resource, organization.slug, PLACES[kind].name) for kind in _ASKED]
    except ClusterError as error:
        raise _told(error) from None
    return Standing(*(one is not None for one in found))


def check() -> bool:
    """Whether there is a cluster, which then answers. Raises Unreachable."""
    reached = _cluster()
    if reached is None:
        return False
    try:
        reached.get(CONFIG_MAPS, settings.CLUSTER_NAMESPACE, "billing-plans")
    except ClusterError as error:
        raise _told(error) from None
    return True


def _cluster() -> Cluster | None:
    if not settings.KUBECONFIG_PATH:
        return None
    seconds = min(settings.CLUSTER_TIMEOUT_SECONDS, LONGEST_SECONDS)
    try:
        return Cluster.of_kubeconfig(settings.KUBECONFIG_PATH, timeout_seconds=seconds)
    except ClusterError as error:
        raise _told(error) from None


def _told(error: ClusterError) -> Unreachable:
    log.error("cluster_unreachable", fault=type(error).__name__, detail=str(error)[:300])
    return Unreachable()
