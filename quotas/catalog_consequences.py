"""What a publication would change for whom: plans and add-ons that differ, and the limits of those who hold them.

Limits are those of `limit_rows`, as somebody would have them who holds the plan without add-ons, with everyone's
projects limit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Count

from accounts.currencies import format_minor
from accounts.policy import effective
from quotas.catalog.terms import AddOn, Catalog, Plan, SuspendedPlan
from quotas.catalog_in_force import catalog_of, switches, terms_of
from quotas.catalog_publishing import versioned
from quotas.holdings import PROJECTS_LIMIT
from quotas.limit_rows import Held, rows
from quotas.models import CatalogItemVersion, CatalogVersion, ItemKind, Subscription, SubscriptionItem
from quotas.quota_arithmetic import Resources, quota_of
from quotas.resource_quantities import canonical
from quotas.subscription_states import HOLDS

Values = Mapping[str, str]


@dataclass(frozen=True)
class ItemChange:
    """A plan or an add-on that differs; prices are the first ones, as people read them; `holders` are subscriptions."""

    kind: str
    code: str
    what: str
    price_before: str
    price_after: str
    holders: int


@dataclass(frozen=True)
class LimitChange:
    """A limit that moves for those who hold something. Empty where there is none."""

    who: str
    subscriptions: int
    limit: str
    before: str
    after: str


@dataclass(frozen=True)
class Consequences:
    items: list[ItemChange]
    limits: list[LimitChange]


def consequences(draft: CatalogVersion, current: CatalogVersion | None, *, existing: str) -> Consequences:
    """By what is in force and held now. `existing` is keep or move, as `catalog_publishing.publish` takes it."""
    new = catalog_of(draft)
    if current is None:
        return Consequences(list(_items(None, new)), [])
    old = catalog_of(current)
    return Consequences(list(_items(old, new)), [*_held_limits(old, new, existing), *_suspended(old, new)])


def held_versions() -> list[tuple[CatalogItemVersion, int]]:
    """Every version that somebody holds, and how many subscriptions do; by plan and add-on, oldest first."""
    counts = dict(
        SubscriptionItem.objects.filter(effective_to=None).values_list("version").annotate(held=Count("pk")).order_by()
    )
    found = CatalogItemVersion.objects.select_related("item").filter(pk__in=counts)
    return [(version, counts[version.pk]) for version in found.order_by("-item__kind", "item__code", "number")]


def _items(old: Catalog | None, new: Catalog) -> Iterator[ItemChange]:
    holders: dict[tuple[str, str], int] = {}
    for version, count in held_versions():
        key = (version.item.kind, version.item.code)
        holders[key] = holders.get(key, 0) + count
    before, after = (_sold(old) if old else {}), _sold(new)
    for key in [*after, *(key for key in before if key not in after)]:
        what = "; ".join(_differences(before.get(key), after.get(key), old, new, key[1]))
        if what:
            yield ItemChange(*key, what, _price(before.get(key)), _price(after.get(key)), holders.get(key, 0))


def _sold(catalog: Catalog) -> dict[tuple[str, str], Plan | AddOn]:
    plans = {(str(ItemKind.PLAN), code): plan for code, plan in catalog.plans.items()}
    return {**plans, **{(str(ItemKind.ADD_ON), code): addon for code, addon in catalog.addons.items()}}


def _differences(
    before: Plan | AddOn | None, after: Plan | AddOn | None, old: Catalog | None, new: Catalog, code: str
) -> Iterator[str]:
    if before is None or after is None:
        yield "new" if before is None else "no longer sold"
        return
    if versioned(before) != versioned(after):
        yield "new version"
    if before.self_service != after.self_service:
        yield "offered to customers" if after.self_service else "assigned by staff only"
    if isinstance(before, AddOn) and isinstance(after, AddOn) and before.disabled != after.disabled:
        yield "switched off" if after.disabled else "switched on"
    if isinstance(after, Plan) and old and old.eip_quota.get(code) != new.eip_quota.get(code):
        yield "public addresses"


def _price(terms: Plan | AddOn | None) -> str:
    if terms is None:
        return "–"
    first = terms.all_prices()[0]
    return f"{format_minor(first.amount_minor, first.currency)} a {first.interval}"


def _held_limits(old: Catalog, new: Catalog, existing: str) -> Iterator[LimitChange]:
    held = held_versions()
    switched = switches([version.item_id for version, _ in held])
    projects = int(effective(PROJECTS_LIMIT))
    for version, count in held:
        terms, code, kind = terms_of(version, version.item.kind), version.item.code, version.item.kind
        sold: Mapping[str, Plan] | Mapping[str, AddOn] = new.plans if kind == ItemKind.PLAN else new.addons
        following = sold[code] if existing == "move" and code in sold else terms
        known = switched[version.item_id]
        if isinstance(terms, Plan) and isinstance(following, Plan):
            addresses = new.eip_quota.get(code) if code in new.plans else known.external_ips
            before = _limits(Held(code, terms, known.external_ips, projects_limit=projects), old)
            after = _limits(Held(code, following, addresses, projects_limit=projects), new)
        elif isinstance(terms, AddOn) and isinstance(following, AddOn):
            off = new.addons[code].disabled if code in new.addons else known.disabled
            before, after = _grant(terms, known.disabled), _grant(following, off)
        yield from _moved(f"{code}, version {version.number}", count, before, after)


def _limits(held: Held, catalog: Catalog) -> Values:
    return {
        name if row.kind == "hierarchical_resource_quota" else f"{row.name} {name}": value
        for row in rows(held, catalog)
        for name, value in row.values.items()
    }


def _grant(addon: AddOn, disabled: bool) -> Values:
    grant = Resources() if disabled else addon.grant()
    sizes = {name: canonical(getattr(grant, name), binary=True) for name in ("memory", "storage")}
    return {f"each grants {name}": value for name, value in {"cpu": canonical(grant.cpu), **sizes}.items()}


def _suspended(old: Catalog, new: Catalog) -> Iterator[LimitChange]:
    count = Subscription.objects.filter(status__in=list(HOLDS)).count()
    yield from _moved("whoever is suspended", count, _left(old.suspended), _left(new.suspended))


def _left(plan: SuspendedPlan) -> Values:
    return quota_of(plan.allowance()).hard()


def _moved(who: str, count: int, before: Values, after: Values) -> Iterator[LimitChange]:
    for name in [*after, *(name for name in before if name not in after)]:
        if before.get(name) != after.get(name):
            yield LimitChange(who, count, name, before.get(name, "not limited"), after.get(name, "not limited"))
