"""One publication, one entitlement, one use of a discount that was granted once, whoever comes at the same moment."""

from datetime import UTC, datetime
from decimal import Decimal

from accounts.errors import Conflict
from quotas import offers
from quotas.account_commitments import draw_month, grant_commitment
from quotas.entitlements import assign_offer
from quotas.models import BillingEntitlement, CommitmentDraw, DiscountUse, Offer, OfferPrice
from quotas.price_grants import DiscountTerms, grant_discount
from tests.cast import BEGINNING, NOON, Cast
from tests.concurrency.racing import failures, race, race_for, successes
from tests.quotas.offer_scene import BY, draft_offer, one_person_publishes, price, publish, publish_meter

LATER = datetime(2026, 6, 1, tzinfo=UTC)


def test_an_offer_is_published_once_and_as_it_was_seen(committed_db: str, cast: Cast) -> None:
    one_person_publishes()
    meter = publish_meter()
    gpu = price("gpu", {"flat": "1"}, meter)
    offer = draft_offer("basic", gpu)
    proposal = offers.payload(offer)
    results = race(
        *[lambda: offers.publish(proposal, at=NOON, **BY)] * 3,
        lambda: price("gpu", {"flat": "2"}, meter, at=NOON),
        lambda: draft_offer("basic", gpu),
    )
    assert all(isinstance(fault, Conflict) for fault in failures(results)), results
    offer.refresh_from_db()
    published = [result for result in successes(results[:3]) if result.launch_stage == "GA"]
    assert len(published) == (offer.launch_stage == "GA")
    if offer.snapshot:
        assert offer.snapshot["USD"]["prices"][0]["flat"] == "1"
    assert OfferPrice.objects.count() == 1


def test_an_account_has_one_offer_whoever_assigns(committed_db: str, cast: Cast) -> None:
    one_person_publishes()
    gpu = price("gpu", {"flat": "1"}, publish_meter())
    held = [publish(draft_offer(f"offer-{number}", gpu)) for number in range(4)]

    def assign(offer: Offer) -> BillingEntitlement:
        return assign_offer(cast.prepaid.pk, offer, at=NOON, **BY)

    results = race_for(cast.prepaid.pk, *[lambda offer=offer: assign(offer) for offer in held])  # type: ignore[misc]
    assert failures(results) == []
    assert BillingEntitlement.objects.count() == 4
    assert BillingEntitlement.objects.filter(effective_to=None).count() == 1


def test_a_month_draws_once_and_a_discount_is_taken_once(committed_db: str, cast: Cast) -> None:
    one_person_publishes()
    meter = publish_meter()
    offer = publish(draft_offer("basic", price("gpu", {"flat": "1"}, meter)))
    assign_offer(cast.prepaid.pk, offer, at=BEGINNING, **BY)
    grant_discount(cast.prepaid.pk, DiscountTerms(BEGINNING, percent="50", times=1), at=BEGINNING, **BY)
    commitment = grant_commitment(
        cast.prepaid.pk, meter, amount_minor=500, months=2, starts_at=BEGINNING, in_advance=True, at=BEGINNING, **BY
    )
    results = race_for(cast.prepaid.pk, *[lambda: draw_month(commitment.pk, Decimal(10), at=LATER, **BY)] * 3)
    assert [fault.code for fault in failures(results) if isinstance(fault, Conflict)] == ["term_over"]
    drawn = CommitmentDraw.objects.order_by("month").values_list("month", "used_minor", "drawn_minor", "billed_minor")
    assert list(drawn) == [(1, 500, 500, 0), (2, 1000, 0, 1000)]
    assert DiscountUse.objects.count() == 1
