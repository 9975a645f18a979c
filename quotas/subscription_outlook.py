"""What a subscription costs, and what comes next: its price and its coming periods."""

from collections.abc import Iterable

from quotas.billing_periods import Anchor, Interval, Period, period_containing
from quotas.models import Subscription, SubscriptionItem
from quotas.models import SubscriptionStatus as Status
from quotas.plan_price import PlanPrice
from quotas.subscriptions import zone

_GOES_ON = (Status.TRIALING, Status.ACTIVE, Status.PAST_DUE)


def held_price(subscription: Subscription, items: Iterable[SubscriptionItem]) -> PlanPrice:
    """The plan plus each add-on times its quantity, at the prices they were sold for, for one interval."""
    total = sum(row.price.amount_minor * row.quantity for row in items)
    return PlanPrice(total, subscription.currency, subscription.interval)


def coming_periods(subscription: Subscription, count: int) -> list[Period]:
    """The periods after the present one; none where it ends with it, or has ended."""
    if subscription.status not in _GOES_ON:
        return []
    anchor = Anchor.at(subscription.anchor_at, zone(subscription.time_zone))
    found: list[Period] = []
    at = subscription.period_end
    for _ in range(count):
        found.append(period_containing(anchor, Interval(subscription.interval), at))
        at = found[-1].end
    return found
