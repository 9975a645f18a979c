"""Meters, prices and offers, made by the real acts."""

from datetime import datetime
from typing import Any

from accounts import policy
from accounts.models import BillingAccount
from quotas import meters, offers
from quotas.models import CustomerSegment, Meter, Offer, ServicePrice
from quotas.service_prices import Draft, save_price
from tests.cast import ACTOR, BEGINNING

REASON = "the desk decided so"
BY: dict[str, Any] = {"actor": ACTOR, "reason": REASON}
GPU = "gpu.hours"
FLAT = {"flat": "2.50"}


def publish_meter(name: str = GPU, *dimensions: str, phase: str = "Published") -> Meter:
    meter = meters.define_meter(
        name, display_name="GPU hours", unit="h", aggregation="Sum", dimensions=dimensions, at=BEGINNING, **BY
    )
    while meter.phase != phase:
        meter = meters.advance(meter.pk, at=BEGINNING, **BY)
    return meter


def price(
    code: str,
    document: Any,
    meter: Meter | None = None,
    *,
    segment: CustomerSegment | None = None,
    account: BillingAccount | None = None,
    charge_type: str = "Usage",
    currency: str = "USD",
    at: datetime = BEGINNING,
) -> ServicePrice:
    return save_price(Draft(code, charge_type, currency, document, meter, segment, account), at=at, **BY)


def draft_offer(code: str, *prices: ServicePrice, charge_types: tuple[str, ...] = ("Usage",)) -> Offer:
    return offers.save_offer(
        code, display_name=code.title(), charge_types=charge_types, prices=prices, at=BEGINNING, **BY
    )


def publish(offer: Offer, *, at: datetime = BEGINNING) -> Offer:
    return offers.publish(offers.payload(offer), at=at, **BY)


def one_person_publishes() -> None:
    """Only the owner of the database could set this alone; here the row is written beneath the act."""
    policy.PolicyValue.objects.create(
        key=offers.POLICY, value=False, scope="global", scope_id=None, updated_at=BEGINNING
    )
