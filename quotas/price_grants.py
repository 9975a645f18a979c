"""Discounts granted to one account: percent or amount, for a time or a number of bills; withdrawn at most once."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.currencies import parse_positive_minor
from accounts.errors import Conflict, NotFound
from accounts.locking import lock_account
from quotas.errors import DiscountInvalid
from quotas.models import AccountDiscount, Meter
from quotas.pricing.faults import Faults
from quotas.pricing.fields import read_number


@dataclass(frozen=True)
class DiscountTerms:
    """Either `percent` (up to 6 decimals) or `amount_minor` of the account's currency. `times` counts bills."""

    starts_at: datetime
    percent: object = None
    amount_minor: object = None
    meter: Meter | None = None
    ends_at: datetime | None = None
    times: int | None = None


@transaction.atomic
def grant_discount(
    account_id: int, terms: DiscountTerms, *, actor: Actor, reason: str, at: datetime
) -> AccountDiscount:
    """Grant a discount. Raises NotFound, DiscountInvalid, AmountInvalid, TimeInvalid, ReasonRequired."""
    at, reason = check_moment(at), require_reason(reason)
    account = lock_account(account_id)
    percent, amount_minor = _size(terms)
    starts_at = check_moment(terms.starts_at, field="starts_at")
    ends_at = check_moment(terms.ends_at, field="ends_at") if terms.ends_at else None
    if ends_at and ends_at <= starts_at:
        raise DiscountInvalid("it ends before it starts", field="ends_at")
    if terms.times is not None and not 0 < terms.times <= 10**6:
        raise DiscountInvalid("a discount is for 1 to 1,000,000 bills", field="times")
    discount = AccountDiscount.objects.create(
        billing_account=account,
        meter=terms.meter,
        percent=percent,
        amount_minor=amount_minor,
        currency=account.currency,
        starts_at=starts_at,
        ends_at=ends_at,
        times=terms.times,
        granted_at=at,
    )
    after = {
        "percent": str(percent) if percent is not None else None,
        "amount_minor": amount_minor,
        "metric": terms.meter.name if terms.meter else None,
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat() if ends_at else None,
        "times": terms.times,
    }
    subject = ("account_discount", discount.pk)
    record(actor, "discount.grant", subject=subject, account=account, at=at, reason=reason, after=after)
    return discount


@transaction.atomic
def withdraw_discount(discount_id: int, *, actor: Actor, reason: str, at: datetime) -> AccountDiscount:
    """Take a discount back from `at` on. Raises NotFound, Conflict (`withdrawn_already`), ReasonRequired."""
    at, reason = check_moment(at), require_reason(reason)
    discount = AccountDiscount.objects.filter(pk=discount_id).first()
    if discount is None:
        raise NotFound("no such discount", field="discount")
    account = lock_account(discount.billing_account_id)
    discount.refresh_from_db()
    if discount.withdrawn_at:
        raise Conflict("the discount is withdrawn already", field="discount", code="withdrawn_already")
    discount.withdrawn_at = at
    discount.save(update_fields=["withdrawn_at"])
    subject = ("account_discount", discount.pk)
    record(actor, "discount.withdraw", subject=subject, account=account, at=at, reason=reason)
    return discount


def _size(terms: DiscountTerms) -> tuple[Decimal | None, int | None]:
    if (terms.percent is None) == (terms.amount_minor is None):
        raise DiscountInvalid("write either a percentage or an amount", field="percent")
    if terms.percent is None:
        return None, parse_positive_minor(terms.amount_minor)
    percent = read_number(terms.percent, "percent", Faults(), below=101, places=6)
    if percent is None or not 0 < percent <= 100:
        raise DiscountInvalid("a percentage is above 0 and at most 100, with at most 6 decimals", field="percent")
    return percent, None
