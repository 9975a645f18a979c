"""What usage costs an account: its offer, the most specific price in it, and what was granted to the account."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from accounts.clock import check_moment
from accounts.errors import Conflict
from accounts.models import BillingAccount
from quotas.customer_segments import segment_of
from quotas.discount_uses import uses_so_far
from quotas.entitlements import entitlement_of
from quotas.models import AccountDiscount, BillingEntitlement, CustomerSegment
from quotas.offer_snapshot import price_list
from quotas.pricing.discounts import Discount
from quotas.pricing.exact import from_minor
from quotas.pricing.prices import Price
from quotas.pricing.quotes import Quote, SoFar, Usage, quote


@dataclass(frozen=True)
class Priced:
    """The quote, and why it is this price; `before` counts the discounts taken until then."""

    quote: Quote
    before: SoFar
    price: Price
    entitlement: BillingEntitlement
    segment: CustomerSegment | None


def price_usage(
    account: BillingAccount,
    metric: str,
    quantity: Decimal,
    *,
    dimensions: Mapping[str, str] | None = None,
    at: datetime,
    so_far: SoFar | None = None,
) -> Priced:
    """What a quantity used by an account costs at a moment, by what was in force then; nothing is written.

    Counted discounts are counted by the bills that took them, or by `so_far`, where it is given: each by its public
    id, or by its name in the price.
    Raises Conflict (`no_offer`: the account had none; `metric_not_offered`), AmountInvalid, TimeInvalid.
    """
    at = check_moment(at)
    entitlement = entitlement_of(account.pk, at)
    if entitlement is None or entitlement.offer.snapshot is None:
        raise Conflict("the account had no offer at that moment", field="billing_account", code="no_offer")
    segment = segment_of(account.pk, at)
    prices = price_list(entitlement.offer.snapshot, account.currency)
    found = prices and prices.price_for(metric, account=account.public_id, segment=segment.code if segment else "")
    if not found:
        offered = f"the offer {entitlement.offer.code} has no price for {metric}"
        raise Conflict(offered, field="metric", code="metric_not_offered")
    price = replace(found, discounts=(*found.discounts, *granted_discounts(account, metric, at)))
    before = so_far or SoFar(uses=uses_so_far(account, entitlement.offer, metric))
    answer = quote(price, [Usage(quantity, dimensions or {})], at=at, so_far=before)
    return Priced(answer, before, price, entitlement, segment)


def granted_discounts(account: BillingAccount, metric: str, at: datetime) -> list[Discount]:
    """Discounts of the account on a metric that were not withdrawn by then, oldest first."""
    held = AccountDiscount.objects.filter(
        Q(meter=None) | Q(meter__name=metric), Q(withdrawn_at=None) | Q(withdrawn_at__gt=at), billing_account=account
    )
    return [
        Discount(
            name=row.public_id,
            percent=row.percent,
            amount=None if row.amount_minor is None else from_minor(row.amount_minor, row.currency),
            starts=row.starts_at,
            ends=row.ends_at,
            times=row.times,
        )
        for row in held.order_by("pk")
    ]
