"""A subscription in words: its state, what it does next by itself, what it holds and costs."""

from collections.abc import Iterable

from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.currencies import format_minor
from accounts.display import show_moment
from quotas.models import ItemKind, Subscription, SubscriptionItem
from quotas.models import SubscriptionStatus as Status
from quotas.plan_price import PlanPrice

STATES: dict[str, str] = {
    Status.INCOMPLETE: "Not begun",
    Status.TRIALING: "Trial",
    Status.ACTIVE: "Active",
    Status.PAST_DUE: "Past due",
    Status.CANCELING: "Canceling",
    Status.SUSPENDED: "Suspended",
    Status.CANCELED: "Canceled",
}
TONES: dict[str, str] = {
    Status.INCOMPLETE: "wait",
    Status.TRIALING: "calm",
    Status.ACTIVE: "good",
    Status.PAST_DUE: "wait",
    Status.CANCELING: "wait",
    Status.SUSPENDED: "bad",
    Status.CANCELED: "bad",
}
LEVEL_TONES = {"full": "good", "warn": "wait", "restricted": "wait", "halted": "bad"}
_NEXT: dict[str, str] = {
    Status.TRIALING: "paid period begins",
    Status.ACTIVE: "next period begins",
    Status.PAST_DUE: "next period begins",
    Status.CANCELING: "suspended",
    Status.SUSPENDED: "canceled",
}
_MEANS: dict[str, str] = {
    Status.INCOMPLETE: "The first payment is missing: the limits are those of the suspended plan until it arrives.",
    Status.TRIALING: "All that is held may be used. Nothing is charged for the plan before the trial ends.",
    Status.ACTIVE: "All that is held may be used.",
    Status.PAST_DUE: "A payment is missing. All that is held may still be used.",
    Status.CANCELING: "Canceled by the end of the period that is paid. Until then all that is held may be used.",
    Status.SUSPENDED: "The limits are those of the suspended plan. Plan and add-ons are kept for who comes back.",
    Status.CANCELED: "Nothing may run. Plan and add-ons are kept: subscribing again restores them.",
}


def meaning(subscription: Subscription) -> str:
    """What the state means for the customer."""
    return _MEANS[subscription.status]


def next_move(subscription: Subscription) -> str:
    """What it does next by itself; empty where it waits for somebody."""
    return _NEXT.get(subscription.status, "") if subscription.due_at else ""


def show_next_move(subscription: Subscription) -> SafeString | str:
    words = next_move(subscription)
    return format_html("{}: {}", words, show_moment(subscription.due_at)) if words else "nothing by itself"


def show_period(subscription: Subscription) -> SafeString:
    return format_html("{} – {}", show_moment(subscription.period_start), show_moment(subscription.period_end))


def price_words(price: PlanPrice) -> str:
    """`158.00 EUR a month`."""
    return f"{format_minor(price.amount_minor, price.currency)} a {price.interval}"


def held_words(items: Iterable[SubscriptionItem]) -> str:
    """`scale-pool, 3 × turbo-x1`."""
    return ", ".join(
        row.item.code if row.kind == ItemKind.PLAN else f"{row.quantity} × {row.item.code}" for row in items
    )
