"""Limits as a cluster's objects: what each is called, what it says, and whether what is there says the same.

Names, labels and the three items of the LimitRange are those of the platform's own controller, so that either can take
over from the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quotas.errors import QuantityInvalid
from quotas.kubernetes.cluster import Object
from quotas.kubernetes.resources import CONFIG_MAPS, HIERARCHICAL_QUOTAS, LIMIT_RANGES, RESOURCE_QUOTAS, Resource
from quotas.resource_quantities import parse

PREFIX = "billing.kube-dc.com/"
AUTO_MANAGED = f"{PREFIX}auto-managed"
PLAN = f"{PREFIX}plan-id"


@dataclass(frozen=True)
class Place:
    """Where a kind of limit stands: in the organization's namespace, or in each project's."""

    resource: Resource
    name: str
    of_project: bool = False


# External addresses have no quota object of their own; the platform's admission reads the number from a ConfigMap.
PLACES = {
    "hierarchical_resource_quota": Place(HIERARCHICAL_QUOTAS, "plan-quota"),
    "limit_range": Place(LIMIT_RANGES, "default-resource-limits"),
    "external_ips": Place(CONFIG_MAPS, "external-ips"),
    "project_quota": Place(RESOURCE_QUOTAS, "project-quota", of_project=True),
}


@dataclass(frozen=True)
class LimitFacts:
    """A row of limits. `values` are texts as Kubernetes writes them."""

    kind: str
    namespace: str
    values: Mapping[str, Any]
    plan_code: str


def namespace_of(organization: str, project: str | None = None) -> str:
    """Organizations are namespaces; a project's is named after both."""
    return organization if project is None else f"{organization}-{project}"


def manifest(limit: LimitFacts) -> Object:
    """The object that says the limit."""
    place = PLACES[limit.kind]
    labels = {AUTO_MANAGED: "true", **({PLAN: limit.plan_code} if limit.plan_code else {})}
    return {
        "apiVersion": place.resource.api_version,
        "kind": place.resource.kind,
        "metadata": {
            "name": place.name,
            "namespace": limit.namespace,
            "labels": labels,
        },
        **_content(limit),
    }


def is_ours(current: Object) -> bool:
    """Whether we may write it. What lacks the label belongs to somebody else."""
    return bool((current["metadata"].get("labels") or {}).get(AUTO_MANAGED) == "true")


def drifted(current: Object, wanted: Object) -> bool:
    """Whether the object says anything else than it should; `1000m` and `1` are the same."""
    labels = current["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in wanted["metadata"]["labels"].items()):
        return True
    return any(_plain(current.get(part)) != _plain(wanted[part]) for part in ("spec", "data") if part in wanted)


def corrected(current: Object, wanted: Object) -> Object:
    """The object as read, saying what it should; other people's labels and annotations stay."""
    labels = {**(current["metadata"].get("labels") or {}), **wanted["metadata"]["labels"]}
    content: Object = {part: wanted[part] for part in ("spec", "data") if part in wanted}
    return {**current, "metadata": {**current["metadata"], "labels": labels}, **content}


def _content(limit: LimitFacts) -> Object:
    values = {key: str(value) for key, value in limit.values.items()}
    if limit.kind == "limit_range":
        return {"spec": {"limits": _limit_items(values)}}
    if limit.kind == "external_ips":
        return {"data": values}
    return {"spec": {"hard": values}}


def _limit_items(values: Mapping[str, str]) -> list[Object]:
    def pair(cpu: str, memory: str) -> dict[str, str]:
        return {"cpu": values[cpu], "memory": values[memory]}

    return [
        {
            "type": "Container",
            "default": pair("defaultCPU", "defaultMemory"),
            "defaultRequest": pair("defaultRequestCPU", "defaultRequestMem"),
            "max": pair("maxCPU", "maxMemory"),
            "min": pair("minCPU", "minMemory"),
        },
        {"type": "Pod", "max": pair("maxPodCPU", "maxPodMemory")},
        {
            "type": "PersistentVolumeClaim",
            "max": {"storage": values["maxPVCStorage"]},
            "min": {"storage": values["minPVCStorage"]},
        },
    ]


def _plain(content: Any) -> Any:
    """Texts that are quantities as numbers: the API server rewrites them in its canonical form."""
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_plain(value) for value in content]
    try:
        return parse(content)
    except QuantityInvalid:
        return content
