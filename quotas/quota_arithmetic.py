"""What a subscription may use: pure arithmetic over exact quantities.

    requests.cpu, .memory = plan + Σ add-on × quantity + overhead per project × projects limit
    requests.storage      = plan + Σ add-on × quantity                       (overhead takes no storage)
    limits.cpu, .memory   = requests × burst ratio
    pods, load balancers, object storage, external addresses = the plan's

Suspended and canceled subscriptions get the suspended plan exactly: no add-on, no overhead, no burst.
Source: docs/catalog.md, after the quota controller of the platform the catalog format comes from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from quotas.resource_quantities import canonical

ZERO = Decimal(0)


@dataclass(frozen=True)
class Resources:
    """Cores and bytes."""

    cpu: Decimal = ZERO
    memory: Decimal = ZERO
    storage: Decimal = ZERO

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(self.cpu + other.cpu, self.memory + other.memory, self.storage + other.storage)

    def times(self, factor: int) -> "Resources":
        return Resources(self.cpu * factor, self.memory * factor, self.storage * factor)


@dataclass(frozen=True)
class Allowance:
    """What a plan gives, or what is left to a suspended organization."""

    resources: Resources
    pods: int
    load_balancers: int
    burst_ratio: Decimal = Decimal(1)
    object_storage_gb: Decimal = ZERO
    external_ips: int | None = 0  # None: not enforced


@dataclass(frozen=True)
class Quota:
    """The limits in force for an organization. `external_ips` is None where they are not enforced."""

    requests: Resources
    limits_cpu: Decimal
    limits_memory: Decimal
    pods: int
    load_balancers: int
    object_storage_gb: Decimal
    external_ips: int | None

    def hard(self) -> dict[str, str]:
        """The quota as the cluster writes it."""
        return {
            "requests.cpu": canonical(self.requests.cpu),
            "requests.memory": canonical(self.requests.memory, binary=True),
            "requests.storage": canonical(self.requests.storage, binary=True),
            "limits.cpu": canonical(self.limits_cpu),
            "limits.memory": canonical(self.limits_memory, binary=True),
            "pods": str(self.pods),
            "services.loadbalancers": str(self.load_balancers),
        }


def quota_of(
    plan: Allowance,
    addons: Iterable[tuple[Resources, int]] = (),
    *,
    overhead: Resources = Resources(),
    projects_limit: int = 0,
) -> Quota:
    """The whole quota of a plan with its add-ons, for `projects_limit` projects at most."""
    bought = sum((resources.times(count) for resources, count in addons), plan.resources)
    requests = bought + Resources(overhead.cpu, overhead.memory).times(projects_limit)
    return Quota(
        requests,
        _nano(requests.cpu * plan.burst_ratio),
        _whole(requests.memory * plan.burst_ratio),
        plan.pods,
        plan.load_balancers,
        plan.object_storage_gb,
        plan.external_ips,
    )


def _nano(cores: Decimal) -> Decimal:
    """Down to what a cluster can hold, so that a limit is never above what was sold."""
    return cores // Decimal("1e-9") * Decimal("1e-9")


def _whole(size: Decimal) -> Decimal:
    return size // 1
