"""A small catalog: the plans, add-ons and operator's sections that tests of this room begin with."""

import copy
from datetime import datetime
from typing import Any

from accounts import approvals, policy_approval
from accounts.audit import Actor
from accounts.lifecycle import open_organization
from accounts.models import User
from quotas.catalog.document import parse
from quotas.catalog_import import Imported, import_catalog
from quotas.models import Subscription, SubscriptionStatus
from quotas.subscriptions import assign_plan, move
from tests.cast import ACTOR, NOON, Cast


def plan(cpu: str = "4", memory: str = "8Gi", storage: str = "60Gi", **more: Any) -> dict[str, Any]:
    return {
        "displayName": "A plan",
        "price": 19,
        "currency": "EUR",
        "prices": [{"currency": "USD", "amount": 20}],
        "objectStorage": 20,
        "ipv4": 1,
        "requests": {"cpu": cpu, "memory": memory, "storage": storage},
        "pods": 100,
        "servicesLB": 100,
        "burstRatio": 1,
        "limitRange": {
            "defaultCPU": "500m",
            "defaultMemory": "512Mi",
            "defaultRequestCPU": "100m",
            "defaultRequestMem": "128Mi",
            "maxCPU": cpu,
            "maxMemory": memory,
            "minCPU": "1m",
            "minMemory": "1Mi",
            "maxPodCPU": cpu,
            "maxPodMemory": memory,
            "maxPVCStorage": storage,
            "minPVCStorage": "10Mi",
        },
        **more,
    }


def addon(cpu: str = "2", memory: str = "4Gi", storage: str = "20Gi", **more: Any) -> dict[str, Any]:
    return {
        "displayName": "An add-on",
        "price": 9,
        "currency": "EUR",
        "prices": [{"currency": "USD", "amount": 10}],
        "cpu": cpu,
        "memory": memory,
        "storage": storage,
        **more,
    }


_CATALOG = {
    "plans": {
        "dev-pool": plan(displayName="Dev Pool"),
        "pro-pool": plan(
            "8", "24Gi", "160Gi", displayName="Pro Pool", price=49, recommended=True, objectStorage=100, pods=200
        ),
        "scale-pool": plan(
            "16", "56Gi", "320Gi", displayName="Scale Pool", price=99, objectStorage=500, ipv4=3, pods=500
        ),
        "lab": plan("1", "1Gi", "5Gi", displayName="Lab", selfService=False, price=0),
    },
    "suspendedPlan": {"cpu": "500m", "memory": "1Gi", "pods": 10, "servicesLB": 0},
    "systemOverhead": {"cpuPerProject": 0, "memPerProject": 0},
    "addons": {
        "turbo-x1": addon(displayName="Turbo x1"),
        "turbo-x2": addon("4", "8Gi", "40Gi", displayName="Turbo x2", price=16),
    },
    "eipQuota": {"dev-pool": 1, "pro-pool": 1, "scale-pool": 3},
}


def catalog_document(**sections: Any) -> dict[str, Any]:
    """The document, with sections replaced."""
    return {**copy.deepcopy(_CATALOG), **sections}


def another_document() -> dict[str, Any]:
    """The same with an overhead, which everyone has at once."""
    return catalog_document(systemOverhead={"cpuPerProject": "100m", "memPerProject": "128Mi"})


def let_one_person_publish(cast: Cast, *, at: datetime = NOON) -> None:
    """Dana asks that publications need nobody else; Erin agrees."""
    proposal = {"key": "approvals.catalog_publication", "value": False, "scope": "global", "scope_id": None}
    asked = approvals.submit(policy_approval.ACT, proposal, maker=cast.dana, reason="a small desk", at=at).request
    assert asked is not None
    approvals.decide(asked.pk, checker=cast.erin, approve=True, note="", at=at)


def publish(
    document: dict[str, Any] | None = None, *, existing: str = "keep", at: datetime = NOON, **more: Any
) -> Imported:
    """Import a catalog as the system would; the second and later ones wait unless `maker` and policy let them pass."""
    actor: Actor = more.pop("actor", ACTOR)
    imported = import_catalog(
        parse(document or catalog_document()),
        source="tests",
        existing=existing,
        maker=more.pop("maker", None),
        actor=actor,
        reason="for a test",
        at=at,
    )
    assert not more
    return imported


def subscribed(owner: User, status: str, *, at: datetime = NOON, plan: str = "pro-pool") -> Subscription:
    """A subscription in that state, of an organization of its own."""
    organization = open_organization(f"Of {status}", f"of-{status.replace('_', '-')}", owner=owner, at=at)
    subscription = assign_plan(organization, plan, {"turbo-x1": 1}, actor=ACTOR, reason="for a test", at=at)
    if status == SubscriptionStatus.ACTIVE:
        return subscription
    steps = ["suspended", "canceled"] if status == SubscriptionStatus.CANCELED else [status]
    for step in steps:
        subscription = move(subscription.pk, step, actor=ACTOR, reason="for a test", at=at)
    return subscription
