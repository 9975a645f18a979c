"""How often counted discounts were taken: a row for each discount on each bill, counted by the database too."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from accounts.errors import Conflict, constraints
from accounts.models import BillingAccount
from quotas.models import AccountDiscount, DiscountUse, Offer


def uses_so_far(account: BillingAccount, offer: Offer, metric: str) -> dict[str, int]:
    """How often the account took each discount: those granted to it by public id, those of the offer by name."""
    granted = DiscountUse.objects.filter(billing_account=account, discount__isnull=False).select_related("discount")
    named = DiscountUse.objects.filter(billing_account=account, offer=offer, metric=metric)
    counted = Counter(use.discount.public_id for use in granted if use.discount)
    counted.update(named.values_list("name", flat=True))
    return dict(counted)


def record_uses(
    account: BillingAccount,
    offer: Offer,
    metric: str,
    *,
    before: Mapping[str, int],
    after: Mapping[str, int],
    bill: str,
    at: datetime,
) -> None:
    """Write down which discounts a bill took, under the account's lock. Raises Conflict (`discount_used_up`)."""
    granted = {row.public_id: row for row in AccountDiscount.objects.filter(billing_account=account)}
    used_up = Conflict("a discount was taken as often as it was granted", code="discount_used_up")
    with constraints({"discounts_are_used_as_often_as_granted": used_up}):
        for name in (name for name in after if after[name] > before.get(name, 0)):
            discount = granted.get(name)
            DiscountUse.objects.create(
                billing_account=account,
                discount=discount,
                offer=None if discount else offer,
                metric=metric,
                name="" if discount else name,
                bill=bill,
                used_at=at,
            )
