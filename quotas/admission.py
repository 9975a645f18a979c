"""Does it fit? Answered from the limits in force and from what the platform last reported."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from accounts import policy
from accounts.models import Level, Organization, Project
from accounts.policy_scopes import organization_scope
from quotas.catalog_in_force import catalog_of, in_force
from quotas.dimensions import DIMENSIONS, bounds, read, write
from quotas.errors import UnknownItem
from quotas.external_ips import public_held
from quotas.holdings import PROJECTS_LIMIT, level_of
from quotas.models import Limit
from quotas.project_quotas import effective_quota
from quotas.usage_report import usage_of
from quotas.what_if import what_if


@dataclass(frozen=True)
class Excess:
    """A dimension that does not fit, as the cluster writes quantities; `used` is None where it is unknown."""

    dimension: str
    limit: str
    used: str | None
    requested: str


@dataclass(frozen=True)
class Answer:
    """`fits` is None where it depends on usage that nobody reported. `held_back` says why nothing new is let in."""

    fits: bool | None
    exceeded: tuple[Excess, ...] = ()
    unknown: tuple[str, ...] = ()
    held_back: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def may_use(organization: Organization, wanted: Mapping[str, object], *, project: Project | None = None) -> Answer:
    """Would these quantities fit on top of what is in use? A restricted or halted organization is let nothing new.

    Raises DimensionUnknown, QuantityInvalid, NotFound.
    """
    amounts = read(wanted)
    level = level_of(organization)
    if level in (Level.RESTRICTED, Level.HALTED):
        return Answer(False, held_back=f"the organization is {level}")
    limits = bounds(Limit.objects.filter(organization=organization, project=None))
    answer = compare(limits, usage_of(organization), amounts)
    if project is None or answer.fits is False:
        return answer
    own = compare(effective_quota(project), usage_of(organization, project), amounts)
    return own if own.fits is not True else answer


def fits_plan(organization: Organization, plan: str, addons: Mapping[str, object]) -> Answer:
    """Would what is in use fit another plan with these add-ons? Raises NoCatalog, UnknownItem, QuantityInvalid."""
    scope = organization_scope(organization)
    catalog = catalog_of(in_force())
    if plan not in catalog.plans:
        raise UnknownItem(f"the catalog lists no plan {plan!r}", field="plan")
    asked = what_if(catalog, plan, addons, projects_limit=policy.effective(PROJECTS_LIMIT, scope))
    limits = read({name: value for name, value in asked.quota.hard().items() if name in DIMENSIONS})
    if asked.quota.external_ips is not None:
        limits["external_ips"] = Decimal(asked.quota.external_ips)
    limits["object_storage"] = asked.quota.object_storage_gb
    return compare(limits, in_use(organization), dict.fromkeys(limits, Decimal(0)))


def in_use(organization: Organization) -> dict[str, Decimal | None]:
    """What was last reported, and the public addresses that are held with us, if those are more."""
    used = usage_of(organization)
    return {**used, "external_ips": max(used.get("external_ips") or Decimal(0), Decimal(public_held(organization)))}


def compare(limits: Mapping[str, Decimal], used: Mapping[str, Decimal | None], wanted: Mapping[str, Decimal]) -> Answer:
    """Pure: what of `wanted` does not fit on top of `used`. A dimension without a limit always fits."""
    exceeded, unknown = [], []
    for name, amount in wanted.items():
        if name not in limits:
            continue
        known = used.get(name)
        if (known or 0) + amount > limits[name]:
            shown = None if known is None else write(name, known)
            exceeded.append(Excess(name, write(name, limits[name]), shown, write(name, amount)))
        elif known is None:
            unknown.append(name)
    fits = False if exceeded else None if unknown else True
    return Answer(fits, tuple(exceeded), tuple(unknown))
