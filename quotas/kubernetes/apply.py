"""One organization's objects in the cluster, made what our rows say.

The cluster is read first and our rows after, and every write names the version that was read: where two workers
overlap, the one with older rows is refused by the server (ObjectChanged) and tries again with newer ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Organization
from quotas.kubernetes import annotations, obedience, workloads
from quotas.kubernetes.cluster import Cluster, ClusterError, Object, Unreachable
from quotas.kubernetes.manifests import PLACES, Place, corrected, drifted, is_ours, manifest, namespace_of
from quotas.kubernetes.queue import Outcome
from quotas.kubernetes.resources import ORGANIZATIONS
from quotas.kubernetes.wanted import Wanted, wanted_of
from quotas.models import ClusterSync


@dataclass(frozen=True)
class Spot:
    """Where an object of ours may stand, and what stands there."""

    place: Place
    namespace: str
    current: Object | None

    @property
    def address(self) -> str:
        return f"{self.place.resource.kind} {self.namespace}/{self.place.name}"


def apply(cluster: Cluster, row: ClusterSync, organization: Organization, *, at: datetime) -> Outcome:
    """Follow what the cluster instructs (only without a payment provider), then make it say what our rows say.

    An organization that the cluster does not have, or is removing, keeps nothing of ours there. Raises ClusterError.
    """
    home = cluster.get(ORGANIZATIONS, organization.slug, organization.slug)
    if home is not None and home["metadata"].get("deletionTimestamp"):
        home = None
    spots = list(_spots(cluster, organization))
    refusal = obedience.follow(row, organization, home, at=at) if home else obedience.NOTHING
    wanted = wanted_of(organization) if home else Wanted()
    if home and not refusal.stands:
        _write_annotations(cluster, home, wanted)
    left_alone, failures = _settle_all(cluster, spots, wanted)
    if home:
        workloads.follow_level(cluster, organization, stopped=wanted.stopped, at=at)
    if failures:
        raise failures[0]
    return Outcome(left_alone, refusal.why, refusal.digest)


def _spots(cluster: Cluster, organization: Organization) -> Iterator[Spot]:
    projects = list(organization.projects.order_by("pk").values_list("slug", flat=True))
    for place in PLACES.values():
        for project in projects if place.of_project else [None]:
            namespace = namespace_of(organization.slug, project)
            yield Spot(place, namespace, cluster.get(place.resource, namespace, place.name))


def _write_annotations(cluster: Cluster, home: Object, wanted: Wanted) -> None:
    ours = annotations.written(wanted.standing)
    there = home["metadata"].get("annotations") or {}
    if any(there.get(key) != value for key, value in ours.items()):
        cluster.patch(ORGANIZATIONS, home, {"metadata": {"annotations": ours}})


def _settle_all(cluster: Cluster, spots: list[Spot], wanted: Wanted) -> tuple[list[str], list[ClusterError]]:
    """Objects that are somebody else's, and what went wrong: a project whose namespace is missing holds up no other."""
    left_alone, failures = [], []
    for spot in spots:
        try:
            if not _settle(cluster, spot, wanted):
                left_alone.append(spot.address)
        except Unreachable:
            raise
        except ClusterError as error:
            failures.append(error)
    return left_alone, failures


def _settle(cluster: Cluster, spot: Spot, wanted: Wanted) -> bool:
    """Create, correct or delete; False where the object is somebody else's and stays as it is."""
    resource, current = spot.place.resource, spot.current
    if wanted.is_left(spot.place, spot.namespace):
        return True
    limit = wanted.limit_at(spot.place, spot.namespace)
    if current is not None and not is_ours(current):
        return limit is None  # then nothing of ours is missing
    if limit is None:
        if current is not None:
            cluster.delete(resource, current)
        return True
    right = manifest(limit)
    if current is None:
        cluster.create(resource, right)
    elif drifted(current, right):
        cluster.replace(resource, corrected(current, right))
    return True
