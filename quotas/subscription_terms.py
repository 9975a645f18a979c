"""Letting the limits of existing subscriptions follow a publication: the version moves, the price stays."""

from datetime import datetime

from django.db import connection

from accounts.models import Organization
from quotas.models import SubscriptionItem

# What is held of a version that is no longer sold, while its item still is.
_OUTDATED = """
SELECT held.id, held.organization_id FROM subscription_items held
JOIN catalog_item_versions sold ON sold.item_id = held.item_id AND sold.retired_at IS NULL
WHERE held.effective_to IS NULL AND held.version_id <> sold.id AND held.effective_from <= %(at)s
"""
_CLOSE = "UPDATE subscription_items SET effective_to = %(at)s WHERE id = ANY(%(ids)s) AND effective_to IS NULL"
_OPEN = """
INSERT INTO subscription_items
    (subscription_id, organization_id, kind, item_id, version_id, price_id, quantity, effective_from)
SELECT held.subscription_id, held.organization_id, held.kind, held.item_id, sold.id, held.price_id, held.quantity,
       %(at)s
FROM subscription_items held
JOIN catalog_item_versions sold ON sold.item_id = held.item_id AND sold.retired_at IS NULL
WHERE held.id = ANY(%(ids)s)
"""


def follow_what_is_sold(at: datetime) -> int:
    """Move every subscription to the versions that are sold now; how many items moved. Prices stay.

    It locks the organizations it finds, in id order, and looks again: what changed meanwhile is as its act left it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OUTDATED, {"at": at})
        owners = {owner for _, owner in cursor.fetchall()}
        list(Organization.objects.select_for_update(no_key=True).filter(pk__in=owners).order_by("pk").values("pk"))
        cursor.execute(_OUTDATED, {"at": at})
        moving = [key for key, owner in cursor.fetchall() if owner in owners]
        cursor.execute(_CLOSE, {"at": at, "ids": moving})
        cursor.execute(_OPEN, {"at": at, "ids": moving})
    return len(moving)


def held_of(item_id: int) -> int:
    """How many subscriptions hold an item now."""
    return SubscriptionItem.objects.filter(item_id=item_id, effective_to=None).count()
