"""Drafts of prices. A draft is read when it is saved, so that what could not be billed is never kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.currencies import exponent
from accounts.errors import DomainError
from accounts.models import BillingAccount
from accounts.signed_history import save_signed
from quotas.errors import OfferInvalid
from quotas.models import ChargeType, CustomerSegment, Meter, MeterPhase, ServicePrice
from quotas.plain_codes import is_code
from quotas.pricing.faults import Fault, PriceInvalid
from quotas.pricing.fees import Fee, read_fee
from quotas.pricing.prices import Price
from quotas.pricing.reading_prices import read_price

# Said by columns, so that they can be asked for; a document may not say them again.
_OF_COLUMNS = ("currency", "currencyCode", "currency_code", "metric", "meter", "meterName", "for", "audience")


@dataclass(frozen=True)
class Draft:
    """What a price is to be; `document` as JSON reads."""

    code: str
    charge_type: str
    currency: str
    document: Any
    meter: Meter | None = None
    segment: CustomerSegment | None = None
    account: BillingAccount | None = None


@transaction.atomic
def save_price(draft: Draft, *, actor: Actor, reason: str, at: datetime) -> ServicePrice:
    """Keep a draft under its code, in place of the one before. Published offers keep their copy of that.

    Raises PriceInvalid (every fault), CurrencyUnknown, DomainError (`code_invalid`, `charge_type_invalid`,
    `audience_invalid`, `meter_required`), Conflict (`meter_retired`), ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    read_draft(draft)
    price = ServicePrice.objects.select_for_update().filter(code=draft.code).first()
    before = _summary(price) if price else None
    price = price or ServicePrice(code=draft.code, created_at=at)
    price.charge_type, price.currency, price.document = draft.charge_type, draft.currency, draft.document
    price.meter, price.segment, price.billing_account = draft.meter, draft.segment, draft.account
    price.changed_at = at
    save_signed(price, actor, reason, at)
    record(
        actor,
        "price.save",
        subject=("service_price", price.pk),
        account=draft.account,
        at=at,
        reason=reason,
        before=before,
        after=_summary(price),
    )
    return price


def read_draft(draft: Draft) -> Price | Fee:
    """The draft as it would bill. Raises what save_price raises of its content."""
    if not is_code(draft.code):
        raise OfferInvalid("a code is 1 to 63 lower-case letters, digits and -", field="code", code="code_invalid")
    exponent(draft.currency)
    if draft.segment and draft.account:
        raise OfferInvalid("a price is for a segment or for an account", field="segment", code="audience_invalid")
    if draft.charge_type not in ChargeType.values:
        words = ", ".join(ChargeType.values)
        raise OfferInvalid(f"choose one of {words}", field="charge_type", code="charge_type_invalid")
    if draft.charge_type == ChargeType.USAGE:
        return _usage(draft)
    if draft.meter:
        raise OfferInvalid("only usage is priced by a metric", field="metric", code="meter_not_wanted")
    return read_fee(draft.document, draft.charge_type, draft.currency)


def usage_document(price: ServicePrice | Draft, account: BillingAccount | None) -> dict[str, Any]:
    """The price with what its columns say: a member of a list of prices. Raises PriceInvalid."""
    if not isinstance(price.document, dict):
        raise PriceInvalid([Fault("price", "not_an_object", "write an object: {…}")])
    twice = [key for key in _OF_COLUMNS if key in price.document]
    if twice:
        raise PriceInvalid([Fault(f"price.{key}", "given_twice", "it is said beside the document") for key in twice])
    said = {**price.document, "currency": price.currency, "metric": price.meter.name if price.meter else ""}
    if account:
        return {**said, "for": {"account": account.public_id}}
    return {**said, "for": {"segment": price.segment.code}} if price.segment else said


def _usage(draft: Draft) -> Price:
    if draft.meter is None:
        raise OfferInvalid("usage is priced by a metric", field="metric", code="meter_required")
    if draft.meter.phase == MeterPhase.RETIRED:
        raise DomainError("the meter is retired", field="metric", code="meter_retired")
    meters = {draft.meter.name: draft.meter.dimensions}
    price = read_price(usage_document(draft, draft.account), meters=meters)
    if price.commitment:
        reason = "an account commits itself, not a price: grant the commitment to the account"
        raise PriceInvalid([Fault("price.commitment", "commitment_not_here", reason)])
    return price


def _summary(price: ServicePrice) -> dict[str, Any]:
    return {
        "code": price.code,
        "charge_type": price.charge_type,
        "currency": price.currency,
        "metric": price.meter.name if price.meter else None,
        "segment": price.segment.code if price.segment else None,
        "document": price.document,
    }
