"""Which limits an organization has: pure, from its plan, its add-ons, the catalog and the enforcement level.

Nobody without a plan has any. Restricted and halted organizations get the suspended plan, no object storage and no
public address; the limits of one container stay the plan's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from accounts.enforcement import FULL
from accounts.models import Level
from quotas.catalog.terms import AddOn, Catalog, Plan
from quotas.models import LimitKind
from quotas.quota_arithmetic import Quota, Resources, quota_of

AUTO_MANAGED = "billing.kube-dc.com/auto-managed"
PLAN_ID = "billing.kube-dc.com/plan-id"
PLAN_QUOTA = "plan-quota"
RESOURCE_LIMITS = "default-resource-limits"
HELD_BACK = frozenset({Level.RESTRICTED, Level.HALTED})


@dataclass(frozen=True)
class Held:
    """What an organization holds: the plan, how many public addresses it is let have (None: not enforced), and the
    add-ons that grant something."""

    code: str
    plan: Plan
    external_ips: int | None
    addons: Sequence[tuple[AddOn, int]] = ()
    projects_limit: int = 0
    level: str = FULL


@dataclass(frozen=True)
class Row:
    kind: str
    name: str
    values: Mapping[str, str]
    plan_code: str
    labels: Mapping[str, str] = field(default_factory=dict)


def quota(held: Held, catalog: Catalog) -> Quota:
    """The whole quota in force."""
    if held.level in HELD_BACK:
        return quota_of(catalog.suspended.allowance())
    return quota_of(
        held.plan.allowance(held.external_ips),
        [(addon.grant(), count) for addon, count in held.addons],
        overhead=Resources(catalog.overhead.cpu, catalog.overhead.memory),
        projects_limit=held.projects_limit,
    )


def rows(held: Held, catalog: Catalog) -> list[Row]:
    """Every limit the organization has. Where public addresses are not enforced there is no row about them."""
    found = quota(held, catalog)
    labels = {AUTO_MANAGED: "true", PLAN_ID: held.code}
    ranges = held.plan.limit_range.model_dump(by_alias=True, include=set(type(held.plan.limit_range).model_fields))
    storage = {"gigabytes": f"{found.object_storage_gb.normalize():f}"}
    listed = [
        Row(LimitKind.HIERARCHICAL_RESOURCE_QUOTA, PLAN_QUOTA, found.hard(), held.code, labels),
        Row(LimitKind.LIMIT_RANGE, RESOURCE_LIMITS, ranges, held.code, labels),
        Row(LimitKind.OBJECT_STORAGE, "object-storage", storage, held.code),
    ]
    if found.external_ips is not None and held.external_ips is not None:
        addresses = {"public": str(found.external_ips)}
        listed.append(Row(LimitKind.EXTERNAL_IPS, "external-ips", addresses, held.code))
    return listed
