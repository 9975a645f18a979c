"""A subscription as programs read it: what is held at which price, its periods, what it costs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from accounts.api.fields import Moment
from accounts.models import BillingAccount, Organization
from accounts.public_ids import encode
from quotas.api.plan_answers import CatalogPriceOut
from quotas.catalog_in_force import terms_of
from quotas.models import ItemKind, Subscription, SubscriptionItem, SubscriptionStatus
from quotas.subscription_outlook import coming_periods, held_price

COMING = 3


class ItemOut(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(ItemKind.choices)
    code = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField(help_text="The version of it that was sold.")
    quantity = serializers.IntegerField()
    price = CatalogPriceOut(help_text="Of one, as it was sold.")
    effective_from = Moment()


class PeriodOut(serializers.Serializer[Any]):
    """From `start` until before `end`."""

    start = Moment()
    end = Moment()


class SubscriptionOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    organization = serializers.CharField()
    billing_account = serializers.CharField(allow_null=True, help_text="Who pays.")
    status = serializers.ChoiceField(SubscriptionStatus.choices)
    plan = serializers.CharField(allow_null=True, help_text="Its code.")
    items = ItemOut(many=True, help_text="The plan first, then the add-ons.")
    cost = CatalogPriceOut(help_text="The plan and each add-on times its quantity, for one interval.")
    time_zone = serializers.CharField()
    period = PeriodOut()
    next_periods = PeriodOut(many=True)
    trial_ends_at = Moment(allow_null=True)
    suspended_at = Moment(allow_null=True)
    canceled_at = Moment(allow_null=True)
    moves_at = Moment(allow_null=True, help_text="When it next moves by itself.")
    created_at = Moment()


def told(subscriptions: Sequence[Subscription]) -> list[dict[str, Any]]:
    """What `SubscriptionOut` writes; one query."""
    held: defaultdict[int, list[SubscriptionItem]] = defaultdict(list)
    open_now = SubscriptionItem.objects.filter(subscription__in=subscriptions, effective_to=None)
    for item in open_now.select_related("item", "version", "price"):
        held[item.subscription_id].append(item)
    return [_told(row, sorted(held[row.pk], key=_plan_first)) for row in subscriptions]


def _told(row: Subscription, items: list[SubscriptionItem]) -> dict[str, Any]:
    payer = row.billing_account_id
    return {
        "id": row.public_id,
        "organization": encode(Organization.PUBLIC_PREFIX, row.organization_id),
        "billing_account": encode(BillingAccount.PUBLIC_PREFIX, payer) if payer else None,
        "status": row.status,
        "plan": next((item.item.code for item in items if item.kind == ItemKind.PLAN), None),
        "items": [_item(item) for item in items],
        "cost": held_price(row, items),
        "time_zone": row.time_zone,
        "period": {"start": row.period_start, "end": row.period_end},
        "next_periods": coming_periods(row, COMING),
        "trial_ends_at": row.trial_ends_at,
        "suspended_at": row.suspended_at,
        "canceled_at": row.canceled_at,
        "moves_at": row.due_at,
        "created_at": row.created_at,
    }


def _item(row: SubscriptionItem) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "code": row.item.code,
        "name": terms_of(row.version, row.kind).display_name,
        "version": row.version.number,
        "quantity": row.quantity,
        "price": row.price,
        "effective_from": row.effective_from,
    }


def _plan_first(row: SubscriptionItem) -> tuple[bool, str]:
    return row.kind != ItemKind.PLAN, row.item.code
