"""What the page of a subscription shows."""

from typing import Any

from django.db.models import Q

from accounts.models import EnforcementReason
from quotas.admin.subscription_timeline import MOST, timeline
from quotas.admin.subscription_words import LEVEL_TONES, STATES, TONES, meaning, next_move
from quotas.catalog_in_force import switches, terms_of
from quotas.models import Subscription
from quotas.subscription_items import open_items
from quotas.subscription_outlook import coming_periods, held_price

COMING = 3


def page_of(subscription: Subscription) -> dict[str, Any]:
    """The context of the page."""
    items = open_items(subscription)
    switched = switches([row.item_id for row in items])
    moments, more = timeline(subscription)
    holds = Q(organization=subscription.organization_id)
    if subscription.billing_account_id:
        holds |= Q(billing_account=subscription.billing_account_id)
    reasons = EnforcementReason.objects.filter(holds, closed_at=None).select_related("billing_account").order_by("pk")
    return {
        "subscription": subscription,
        "state_title": STATES[subscription.status],
        "state_tone": TONES[subscription.status],
        "meaning": meaning(subscription),
        "reasons": list(reasons),
        "level_tones": LEVEL_TONES,
        "next_move": next_move(subscription),
        "price": held_price(subscription, items),
        "lines": [
            {
                "row": row,
                "name": terms_of(row.version, row.kind).display_name,
                "total_minor": row.price.amount_minor * row.quantity,
                "off": switched[row.item_id].disabled,
                "retired": row.version.retired_at is not None,
            }
            for row in items
        ],
        "coming": coming_periods(subscription, COMING),
        "moments": moments,
        "more_moments": more,
        "most_moments": MOST,
    }
