"""What a subscription holds: its plan and its add-ons, each as the version and at the price it was sold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.errors import Conflict
from quotas.catalog_in_force import listed
from quotas.errors import NoPrice, QuantityInvalid
from quotas.models import (
    CatalogItem,
    CatalogItemVersion,
    CatalogPrice,
    ItemKind,
    Subscription,
    SubscriptionItem,
)

MOST = 100_000


@dataclass(frozen=True)
class Chosen:
    """An item as it would be held."""

    kind: str
    item: CatalogItem
    version: CatalogItemVersion
    price: CatalogPrice
    quantity: int


def open_items(subscription: Subscription) -> list[SubscriptionItem]:
    """What is held now, the plan first."""
    rows = subscription.items.filter(effective_to=None).select_related("item", "version", "price")
    return sorted(rows, key=lambda row: (row.kind != ItemKind.PLAN, row.item.code))


def choose(
    plan: str,
    addons: Mapping[str, int],
    *,
    held: list[SubscriptionItem],
    currency: str,
    interval: str,
    newest: bool = False,
) -> list[Chosen]:
    """The items of a plan and add-ons. What is held already stays the version and the price it is, unless `newest`.

    Raises NoCatalog, UnknownItem, NoPrice, QuantityInvalid, Conflict (`addon_disabled`).
    """
    kept = {(row.kind, row.item.code): row for row in held}
    counts = {code: parse_count(count) for code, count in addons.items()}
    wanted = [(ItemKind.PLAN, plan, 1), *((ItemKind.ADD_ON, code, count) for code, count in counts.items() if count)]
    return [
        _chosen(kind, code, count, kept.get((kind, code)), currency, interval, newest) for kind, code, count in wanted
    ]


def put(subscription: Subscription, chosen: list[Chosen], *, at: datetime) -> bool:
    """Close what is no longer held and open what is; False where nothing differs. Raises Conflict (`changed_later`)."""
    held = {row.item_id: row for row in open_items(subscription)}
    wanted = {one.item.pk: one for one in chosen}
    closing = [row for key, row in held.items() if key not in wanted or not _same(row, wanted[key])]
    opening = [one for key, one in wanted.items() if key not in held or not _same(held[key], one)]
    later = Q(effective_from__gt=at) | Q(effective_to__gt=at)
    if (closing or opening) and subscription.items.filter(later).exists():
        raise Conflict("the subscription was changed later than that", field="at", code="changed_later")
    for row in closing:
        row.effective_to = at
        row.save(update_fields=["effective_to"])
    for one in opening:
        SubscriptionItem.objects.create(
            subscription=subscription,
            organization_id=subscription.organization_id,
            kind=one.kind,
            item=one.item,
            version=one.version,
            price=one.price,
            quantity=one.quantity,
            effective_from=at,
        )
    return bool(closing or opening)


def price_of(version: CatalogItemVersion, currency: str, interval: str) -> CatalogPrice:
    """What the version costs in a currency for an interval. Raises NoPrice."""
    price = version.prices.filter(currency=currency, interval=interval).first()
    if price is None:
        offered = ", ".join(sorted(f"{row.currency} a {row.interval}" for row in version.prices.all()))
        code = version.item.code
        raise NoPrice(f"{code} has no price in {currency} a {interval}; it is sold in {offered}")
    return price


def parse_count(value: object) -> int:
    """How many of an add-on: a whole number from 0 to 100,000. Raises QuantityInvalid."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 6:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise QuantityInvalid(f"write how many as a whole number up to {MOST:,}", field="addon")
    return value


def _chosen(
    kind: str, code: str, count: int, held: SubscriptionItem | None, currency: str, interval: str, newest: bool
) -> Chosen:
    kept = held and not newest and (held.price.currency, held.price.interval) == (currency, interval)
    if held and kept and count <= held.quantity:
        return Chosen(kind, held.item, held.version, held.price, count)
    line = listed(kind, code)
    if line.disabled:
        raise Conflict(f"{code} is switched off and grants nothing", field="addon", code="addon_disabled")
    if held and kept:
        return Chosen(kind, held.item, held.version, held.price, count)
    return Chosen(kind, line.item, line.version, price_of(line.version, currency, interval), count)


def _same(row: SubscriptionItem, one: Chosen) -> bool:
    return (row.version_id, row.price_id, row.quantity) == (one.version.pk, one.price.pk, one.quantity)
