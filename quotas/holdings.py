"""What organizations hold, read for many at once: as many queries for ten thousand as for one."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from accounts import enforcement, policy
from accounts.models import Organization
from accounts.policy_scopes import Scope
from quotas.catalog.terms import AddOn, Plan
from quotas.catalog_in_force import switches, terms_of
from quotas.limit_rows import Held
from quotas.models import CatalogItemVersion, Subscription, SubscriptionItem

PROJECTS_LIMIT = "quotas.projects_limit"


def holdings(organization_ids: Collection[int]) -> dict[int, Held]:
    """What each open organization with a plan holds, by its id.

    Six queries.
    """
    subscriptions = _subscriptions(organization_ids)
    items = _items(subscriptions)
    every = [row for rows in items.values() for row in rows]
    terms, switched = _terms(every), switches({row.item_id for row in every})
    levels = enforcement.levels_of_organizations({key: row.billing_account_id for key, row in subscriptions.items()})
    limits = _projects_limits(subscriptions)
    found = {}
    for key in subscriptions:
        rows = [(terms[row.version_id], row) for row in items[key]]
        plan, held = next(((one, row) for one, row in rows if isinstance(one, Plan)), (None, None))
        if plan is None or held is None:
            continue
        found[key] = Held(
            held.item.code,
            plan,
            switched[held.item_id].external_ips,
            [(one, row.quantity) for one, row in rows if isinstance(one, AddOn) and not switched[row.item_id].disabled],
            limits[key],
            levels[key],
        )
    return found


def level_of(organization: Organization) -> str:
    """full, warn, restricted or halted: the worst of its own reasons and of its subscription's account's."""
    payer = Subscription.objects.filter(organization=organization).values_list("billing_account_id", flat=True).first()
    return enforcement.levels_of_organizations({organization.pk: payer})[organization.pk]


def _subscriptions(organization_ids: Collection[int]) -> dict[int, Subscription]:
    rows = Subscription.objects.filter(organization_id__in=organization_ids, organization__closed_at=None)
    rows = rows.select_related("organization")
    return {row.organization_id: row for row in rows}


def _items(subscriptions: Collection[int]) -> defaultdict[int, list[SubscriptionItem]]:
    found: defaultdict[int, list[SubscriptionItem]] = defaultdict(list)
    rows = SubscriptionItem.objects.filter(subscription__organization_id__in=list(subscriptions), effective_to=None)
    for row in rows.select_related("item").order_by("pk"):
        found[row.organization_id].append(row)
    return found


def _projects_limits(subscriptions: dict[int, Subscription]) -> dict[int, int]:
    asked = {
        key: (
            Scope(
                user_id=row.organization.owner_id if row.organization.personal else None,
                tenant_id=key,
                plan_id=row.plan_id,
            ),
            row.currency,
        )
        for key, row in subscriptions.items()
    }
    return {key: int(held[PROJECTS_LIMIT]) for key, held in policy.effective_many([PROJECTS_LIMIT], asked).items()}


def _terms(items: Iterable[SubscriptionItem]) -> dict[int, Plan | AddOn]:
    """What each version says, by its id: there are few of them, however many hold one."""
    kinds = {row.version_id: row.kind for row in items}
    versions = CatalogItemVersion.objects.filter(pk__in=kinds)
    return {version.pk: terms_of(version, kinds[version.pk]) for version in versions}
