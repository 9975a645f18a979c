"""A catalog as calm tables: what plans and add-ons cost and grant, in order, and the operator's sections."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.currencies import format_minor
from quotas.catalog.terms import AddOn, Catalog, LimitRange, Plan, Price, Sold
from quotas.resource_quantities import canonical

NOT_LIMITED = "not limited"


@dataclass(frozen=True)
class Row:
    """A plan or an add-on as it is shown. `price` is the first one, by the month; `prices` are the others."""

    kind: str
    code: str
    terms: Plan | AddOn
    price: str
    prices: list[str]
    cpu: str
    memory: str
    storage: str
    public_addresses: str = ""
    first: bool = False
    last: bool = False


def plan_rows(catalog: Catalog) -> list[Row]:
    return [
        Row(
            "plan",
            code,
            plan,
            *_prices(plan),
            canonical(plan.requests.cpu),
            size(plan.requests.memory),
            size(plan.requests.storage),
            public_addresses(catalog.eip_quota, code),
            *_ends(code, catalog.plans),
        )
        for code, plan in catalog.plans.items()
    ]


def addon_rows(catalog: Catalog) -> list[Row]:
    return [
        Row(
            "add-on",
            code,
            addon,
            *_prices(addon),
            canonical(addon.cpu),
            size(addon.memory),
            size(addon.storage),
            "",
            *_ends(code, catalog.addons),
        )
        for code, addon in catalog.addons.items()
    ]


def operator_facts(catalog: Catalog) -> list[tuple[str, str]]:
    """What only the operator sees: what is left to a suspended organization, and what each project takes."""
    suspended, overhead = catalog.suspended, catalog.overhead
    return [
        ("Suspended: CPU", canonical(suspended.cpu)),
        ("Suspended: memory", size(suspended.memory)),
        ("Suspended: storage", size(suspended.storage)),
        ("Suspended: pods", f"{suspended.pods:,}"),
        ("Suspended: load balancers", f"{suspended.load_balancers:,}"),
        ("Overhead of a project: CPU", canonical(overhead.cpu)),
        ("Overhead of a project: memory", size(overhead.memory)),
    ]


def size(amount: Decimal) -> str:
    return canonical(amount, binary=True)


def public_addresses(quota: Mapping[str, int], code: str) -> str:
    return f"{quota[code]:,}" if code in quota else NOT_LIMITED


def terms_table(terms: Plan | AddOn) -> dict[str, str]:
    """Everything a version says, by the words it is shown with; unknown keys as they are."""
    grants = terms.requests if isinstance(terms, Plan) else terms
    found = {"Name": terms.display_name, "Description": terms.description}
    found |= {f"Price a {price.interval}, {price.currency}": _amount(price) for price in terms.all_prices()}
    found |= {"CPU": canonical(grants.cpu), "Memory": size(grants.memory), "Storage": size(grants.storage)}
    if isinstance(terms, Plan):
        found |= _of_a_plan(terms)
    return {**found, **{key: str(value) for key, value in (terms.model_extra or {}).items()}}


def _of_a_plan(plan: Plan) -> dict[str, str]:
    return {
        "Burst": f"× {plan.burst_ratio.normalize():f}",
        "Pods": f"{plan.pods:,}",
        "Load balancers": f"{plan.load_balancers:,}",
        "Object storage": f"{plan.object_storage.normalize():f} GB",
        "IPv4 as shown": "–" if plan.ipv4 is None else f"{plan.ipv4:,}",
        "Trial": f"{plan.trial_days} days" if plan.trial_days else "none",
        "Recommended": "yes" if plan.recommended else "no",
        "Features": "\n".join(plan.features),
        **_ranges(plan.limit_range),
    }


def _ranges(limit_range: LimitRange) -> dict[str, str]:
    written = limit_range.model_dump(by_alias=True, include=set(type(limit_range).model_fields))
    return {f"Container limits: {key}": str(value) for key, value in written.items()}


def _prices(terms: Sold) -> tuple[str, list[str]]:
    first, *others = terms.all_prices()
    return _amount(first), [f"{_amount(price)} a {price.interval}" for price in others]


def _amount(price: Price) -> str:
    return format_minor(price.amount_minor, price.currency)


def _ends(code: str, codes: Mapping[str, object]) -> tuple[bool, bool]:
    listed = list(codes)
    return listed[0] == code, listed[-1] == code
