"""The quota and the price of a plan with add-ons in a state: what somebody would get, without anybody having it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.currencies import format_minor
from accounts.enforcement import FULL
from accounts.errors import DomainError
from quotas.catalog.terms import AddOn, Catalog
from quotas.errors import UnknownItem
from quotas.limit_rows import Held, quota
from quotas.models import SubscriptionStatus
from quotas.plan_price import PlanPrice, plan_price
from quotas.quota_arithmetic import Quota
from quotas.subscription_items import parse_count
from quotas.subscription_states import HOLDS


@dataclass(frozen=True)
class WhatIf:
    held: Held
    quota: Quota
    price: PlanPrice
    counts: Mapping[str, int]
    status: str

    def as_json(self) -> dict[str, Any]:
        hard = self.quota.hard()
        return {
            "plan": self.held.code,
            "addons": dict(self.counts),
            "status": self.status,
            "level": str(self.held.level),
            "projects_limit": self.held.projects_limit,
            "requests": {name: hard[f"requests.{name}"] for name in ("cpu", "memory", "storage")},
            "limits": {name: hard[f"limits.{name}"] for name in ("cpu", "memory")},
            "pods": self.quota.pods,
            "load_balancers": self.quota.load_balancers,
            "eip": self.quota.external_ips,
            "object_storage": f"{self.quota.object_storage_gb.normalize():f}",
            "monthly_price": {
                "amount_minor": self.price.amount_minor,
                "currency": self.price.currency,
                "text": format_minor(self.price.amount_minor, self.price.currency),
            },
        }


def what_if(
    catalog: Catalog,
    plan: str,
    addons: Mapping[str, object],
    *,
    status: str = SubscriptionStatus.ACTIVE,
    projects_limit: int,
) -> WhatIf:
    """By a catalog. An add-on that is switched off grants nothing, and costs what it costs.

    Raises UnknownItem, QuantityInvalid, NoPrice, DomainError (`status_unknown`, `projects_limit_invalid`).
    """
    if status not in SubscriptionStatus.values:
        words = ", ".join(SubscriptionStatus.values)
        raise DomainError(f"a status is one of {words}", field="status", code="status_unknown")
    if not 0 <= projects_limit <= 1_000_000:
        raise DomainError("up to 1,000,000 projects", field="projects_limit", code="projects_limit_invalid")
    if plan not in catalog.plans:
        raise UnknownItem(f"the catalog lists no plan {plan!r}", field="plan")
    counts = {code: parse_count(count) for code, count in addons.items()}
    bought = [(code, _addon(catalog, code), count) for code, count in counts.items()]
    hold = HOLDS.get(status)
    held = Held(
        plan,
        catalog.plans[plan],
        catalog.eip_quota.get(plan),
        [(addon, count) for _, addon, count in bought if not addon.disabled],
        projects_limit,
        hold.level if hold else FULL,
    )
    terms = catalog.plans[plan]
    price = plan_price([(plan, terms, 1), *bought], terms.currency)
    return WhatIf(held, quota(held, catalog), price, counts, status)


def _addon(catalog: Catalog, code: str) -> AddOn:
    if code not in catalog.addons:
        raise UnknownItem(f"the catalog lists no add-on {code!r}", field="addon")
    return catalog.addons[code]
