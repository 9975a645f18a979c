"""The catalog as the cluster's ConfigMap: read and, without a payment provider, followed; written after each change.

The ConfigMap carries the fingerprint of the text we wrote last. Where it does not fit the text, somebody edited it.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from accounts.errors import DomainError
from quotas.catalog.document import fingerprint, parse_text
from quotas.catalog.faults import CatalogInvalid
from quotas.catalog.writing import configmap
from quotas.catalog_import import import_catalog, read
from quotas.catalog_in_force import catalog_of, newest
from quotas.kubernetes import queue
from quotas.kubernetes.cluster import Cluster, Object
from quotas.kubernetes.manifests import PREFIX
from quotas.kubernetes.obedience import ACTOR, obeys
from quotas.kubernetes.queue import Outcome
from quotas.kubernetes.resources import CONFIG_MAPS
from quotas.models import ClusterSync

NAME = "billing-plans"
KEY = "plans.yaml"
DIGEST = f"{PREFIX}written-by-billing"
SOURCE = "cluster"
REASON = "the ConfigMap billing-plans in the cluster"


def apply(cluster: Cluster, row: ClusterSync, *, at: datetime) -> Outcome:
    """Follow the ConfigMap where somebody edited it, then make it say the catalog in force. Raises ClusterError.

    A text that is refused stays there, and the last good catalog in force. A valid one that waits for a second person
    stays too, until it is published or another is.
    """
    there = cluster.get(CONFIG_MAPS, settings.CLUSTER_NAMESPACE, NAME)
    text = _text(there)
    if there is not None and obeys() and _edited(there):
        current = newest()
        key = f"{_digest(text)}:{current.number if current else 0}"
        if row.refused_digest == key:
            return Outcome(refused=row.refused, refused_digest=key)
        refused_before = row.refused_digest.partition(":")[0] == _digest(text)
        # Refused under an older catalog, or followed already: what is in force now is the newer wish.
        if not refused_before and row.followed_digest != _digest(text):
            refused = _follow(row, text, at=at)
            if refused:
                return Outcome(refused=refused, refused_digest=key)
    _write(cluster, there)
    return Outcome()


def _follow(row: ClusterSync, text: str, *, at: datetime) -> str:
    """Import the text; why it is not in force, or nothing."""
    try:
        catalog = read(text, source=SOURCE, at=at)
        with transaction.atomic():
            imported = import_catalog(
                catalog, source=SOURCE, existing="move", maker=None, actor=ACTOR, reason=REASON, at=at
            )
            if imported.state != "waiting":
                queue.note_followed(row, _digest(text))
    except DomainError as error:
        return f"{error.code}: {error.detail}"[:2000]
    return "" if imported.state != "waiting" else f"{imported.catalog.public_id} waits to be published"


def _write(cluster: Cluster, there: Object | None) -> None:
    """Make the ConfigMap say the catalog in force. A text that says so already stays in the operator's words."""
    current = newest()
    if current is None:
        return
    wanted = configmap(catalog_of(current), name=NAME, namespace=settings.CLUSTER_NAMESPACE)
    if there is not None and _fingerprint(_text(there)) == current.sha256:
        wanted["data"] = {KEY: _text(there)}
    noted = {DIGEST: _digest(wanted["data"][KEY])}
    if there is None:
        cluster.create(CONFIG_MAPS, {**wanted, "metadata": {**wanted["metadata"], "annotations": noted}})
    elif _edited(there) or wanted["data"][KEY] != _text(there):
        cluster.patch(CONFIG_MAPS, there, {"metadata": {"annotations": noted}, "data": wanted["data"]})


def _fingerprint(text: str) -> str:
    """Of what the text says, however it is written; empty where it is no catalog."""
    try:
        return fingerprint(parse_text(text).as_document())
    except CatalogInvalid:
        return ""


def _edited(there: Object) -> bool:
    noted: Mapping[str, str] = there["metadata"].get("annotations") or {}
    return noted.get(DIGEST) != _digest(_text(there))


def _text(there: Object | None) -> str:
    return str((there or {}).get("data", {}).get(KEY, ""))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
