"""Meters, prices and offers, made by the real acts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts import policy
from accounts.models import BillingAccount
from quotas import meters, offers
from quotas.account_commitments import grant_commitment
from quotas.customer_segments import open_segment, place
from quotas.entitlements import assign_offer
from quotas.models import AccountCommitment, AccountDiscount, CustomerSegment, Meter, Offer, ServicePrice
from quotas.price_grants import DiscountTerms, grant_discount
from quotas.service_prices import Draft, save_price
from tests.cast import ACTOR, BEGINNING, Cast

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


@dataclass(frozen=True)
class PriceBook:
    """Something of everything, as of a moment: the prepaid account is billed by an offer, the others by none."""

    meter: Meter  # a draft
    published: Meter
    draft: Offer
    offer: Offer
    startups: CustomerSegment
    discount: AccountDiscount
    commitment: AccountCommitment  # of one month, which is over


def set_price_book(cast: Cast, at: datetime) -> PriceBook:
    """Meters, prices for everybody, a segment and an account, offers, a discount, a commitment."""
    one_person_publishes()
    long_ago = at - timedelta(days=70)
    published, meter = publish_meter(GPU, "region"), publish_meter("disk.hours", phase="Draft")
    startups = open_segment("startup", "Start-ups", at=long_ago, **BY)
    gpu = price("gpu", FLAT, published)
    fee = price("support", {"amount": "49.00"}, charge_type="Recurring")
    special = price("gpu-startup", {"flat": "2.00"}, published, segment=startups)
    offer = publish(draft_offer("basic", gpu, special, fee, charge_types=("Usage", "Recurring")), at=long_ago)
    assign_offer(cast.prepaid.pk, offer, at=long_ago, **BY)
    place(cast.postpaid.pk, startups, at=long_ago, **BY)
    terms = DiscountTerms(long_ago, percent="10")
    return PriceBook(
        meter=meter,
        published=published,
        draft=draft_offer("next", gpu, special),
        offer=offer,
        startups=startups,
        discount=grant_discount(cast.prepaid.pk, terms, at=long_ago, **BY),
        commitment=grant_commitment(
            *(cast.prepaid.pk, published),
            amount_minor=100_000,
            months=1,
            starts_at=long_ago,
            in_advance=False,
            at=long_ago,
            **BY,
        ),
    )
