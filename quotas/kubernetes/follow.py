"""What happens in the cluster: read by watches from where the last reading ended, and marked due.

1. Ask for what happened since the stored resource version, for a second, one kind of object beside the other.
2. In one transaction mark whom it concerns and store the new version. Where the server no longer knows the old one,
   list everything and mark everyone: what was missed in between is found by looking.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import connection, transaction

from accounts.models import Organization, Project
from quotas.kubernetes import catalog_copy, queue
from quotas.kubernetes.cluster import Cluster, ClusterError, Object, Unreachable
from quotas.kubernetes.manifests import PLACES, namespace_of
from quotas.kubernetes.resources import CONFIG_MAPS, ORGANIZATIONS, Resource
from quotas.models import ClusterCursor

log = structlog.get_logger(__name__)

SECONDS = 1


@dataclass(frozen=True)
class Watched:
    """One kind of object; `catalog` where it is the ConfigMap of the catalog."""

    key: str
    resource: Resource
    name: str = ""
    catalog: bool = False

    @property
    def namespace(self) -> str | None:
        return settings.CLUSTER_NAMESPACE if self.catalog else None


@dataclass(frozen=True)
class Seen:
    """What a reading saw: the namespaces of changed objects, up to which version, and whether it began afresh."""

    watched: Watched
    namespaces: frozenset[str]
    version: str
    afresh: bool = False


WATCHED = (
    Watched("catalog", CONFIG_MAPS, catalog_copy.NAME, catalog=True),
    Watched("organizations", ORGANIZATIONS),
    *(Watched(kind, place.resource, place.name) for kind, place in PLACES.items()),
)


def follow(cluster: Cluster, *, at: datetime) -> int:
    """Mark what changed in the cluster since the last reading; how many objects. Raises ClusterError."""
    versions = dict(ClusterCursor.objects.values_list("watched", "resource_version"))
    with ThreadPoolExecutor(len(WATCHED)) as readers:
        tasks = [readers.submit(_read, cluster, watched, versions.get(watched.key)) for watched in WATCHED]
    for seen in [task.result() for task in tasks]:
        if seen.afresh or seen.version != versions[seen.watched.key]:
            _note(seen, at)
    return sum(len(task.result().namespaces) for task in tasks)


def _read(cluster: Cluster, watched: Watched, version: str | None) -> Seen:
    """Touches no database: it runs in a thread of its own."""
    if version is not None:
        try:
            return _since(cluster, watched, version)
        except Unreachable:
            raise
        except ClusterError as error:  # forgotten, or a version of another cluster
            log.info("cluster_read_afresh", watched=watched.key, why=str(error))
    objects, version = cluster.list(watched.resource, watched.namespace, name=watched.name)
    return Seen(watched, _namespaces(objects), version, afresh=True)


def _since(cluster: Cluster, watched: Watched, version: str) -> Seen:
    changed = []
    for event in cluster.watch(watched.resource, watched.namespace, since=version, seconds=SECONDS, name=watched.name):
        version = event.object["metadata"]["resourceVersion"]
        if event.type != "BOOKMARK":
            changed.append(event.object)
    return Seen(watched, _namespaces(changed), version)


@transaction.atomic
def _note(seen: Seen, at: datetime) -> None:
    if seen.watched.catalog:
        queue.mark([None] if seen.namespaces or seen.afresh else [], at=at)
    else:
        queue.mark(_everyone() | _owners(seen.namespaces) if seen.afresh else _owners(seen.namespaces), at=at)
    ClusterCursor.objects.update_or_create(
        watched=seen.watched.key, defaults={"resource_version": seen.version, "read_at": at}
    )


def _owners(namespaces: Iterable[str]) -> set[int | None]:
    """The organizations whose namespace, or whose project's, is among them. Others' namespaces say nothing to us."""
    wanted = set(namespaces)
    if not wanted:
        return set()
    # acme-blue-web may be of acme or of acme-blue
    slugs = {name[:end] for name in wanted for end in (*_hyphens(name), len(name))}
    found = dict(Organization.objects.filter(slug__in=slugs).values_list("pk", "slug"))
    projects = Project.objects.filter(organization_id__in=found).values_list("organization_id", "slug")
    theirs = {key for key, project in projects if namespace_of(found[key], project) in wanted}
    return {*theirs, *(key for key, slug in found.items() if slug in wanted)}


def _hyphens(name: str) -> list[int]:
    return [place for place, letter in enumerate(name) if letter == "-"]


def _everyone() -> set[int | None]:
    """Everybody who has limits, or had something looked at before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id FROM limits UNION SELECT organization_id FROM cluster_syncs"
            " WHERE organization_id IS NOT NULL"
        )
        return {key for (key,) in cursor.fetchall()}


def _namespaces(objects: Iterable[Object]) -> frozenset[str]:
    return frozenset(one["metadata"]["namespace"] for one in objects)
