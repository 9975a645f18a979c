"""000-36, 000-40, 000-41, 000-42: a published price stands, each customer has their own, and promises are counted."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.errors import Conflict
from accounts.models import BillingAccount
from quotas.account_commitments import draw_month, grant_commitment, standing
from quotas.customer_segments import open_segment, place
from quotas.entitlements import assign_offer, entitlement_of
from quotas.models import CommitmentDraw, Offer
from quotas.price_grants import DiscountTerms, grant_discount, withdraw_discount
from quotas.pricing.quotes import SoFar
from quotas.usage_quotes import price_usage
from tests.cast import BEGINNING, NOON, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.quotas.offer_scene import BY, GPU, draft_offer, one_person_publishes, price, publish, publish_meter

TEN = Decimal(10)
LATER = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def alone(cast: Cast) -> Cast:
    one_person_publishes()
    return cast


def cost(account: BillingAccount, *, at: datetime = NOON, **asked: Any) -> int:
    """Minor units for ten hours."""
    return price_usage(account, GPU, TEN, at=at, **asked).quote.amount_minor


def test_000_36_an_edited_price_leaves_the_published_offer_alone(alone: Cast) -> None:
    meter = publish_meter()
    gpu = price("gpu", {"flat": "2.50"}, meter)
    offer = publish(draft_offer("basic", gpu))
    assign_offer(alone.prepaid.pk, offer, at=BEGINNING, **BY)
    copy = Offer.objects.get(pk=offer.pk).snapshot
    price("gpu", {"flat": "9.99"}, meter, at=NOON)
    assert Offer.objects.get(pk=offer.pk).snapshot == copy
    assert cost(alone.prepaid) == 2500
    again = publish(draft_offer("basic-2", gpu))
    assign_offer(alone.prepaid.pk, again, at=LATER, **BY)
    assert cost(alone.prepaid, at=LATER) == 9990
    assert cost(alone.prepaid, at=NOON) == 2500  # by what was in force then
    assert alone.prepaid.entitlements.filter(effective_to=None).count() == 1
    before = entitlement_of(alone.prepaid.pk, NOON)
    assert before is not None
    assert before.offer == offer


def test_000_40_account_before_segment_before_everybody(alone: Cast) -> None:
    meter = publish_meter()
    startups = open_segment("startup", "Start-ups", at=BEGINNING, **BY)
    offer = publish(
        draft_offer(
            "basic",
            price("gpu", {"flat": "2.50"}, meter),
            price("gpu-startup", {"flat": "2.00"}, meter, segment=startups),
            price("gpu-acme", {"flat": "1.75"}, meter, account=alone.prepaid),
        )
    )
    for account in (alone.prepaid, alone.postpaid, alone.foreign):
        assign_offer(account.pk, offer, at=BEGINNING, **BY)
    place(alone.prepaid.pk, startups, at=BEGINNING, **BY)
    place(alone.postpaid.pk, startups, at=NOON, **BY)
    assert (cost(alone.prepaid), cost(alone.postpaid), cost(alone.foreign)) == (1750, 2000, 2500)
    assert cost(alone.postpaid, at=BEGINNING) == 2500  # not yet in its segment
    place(alone.postpaid.pk, None, at=LATER, **BY)
    assert cost(alone.postpaid, at=LATER) == 2500
    with pytest.raises(Conflict):
        place(alone.postpaid.pk, None, at=LATER, **BY)


def test_000_40_usage_without_an_offer_or_a_price_says_so(alone: Cast) -> None:
    with pytest.raises(Conflict) as caught:
        cost(alone.prepaid)
    assert caught.value.code == "no_offer"
    assign_offer(
        alone.prepaid.pk, publish(draft_offer("basic", price("gpu", {"flat": "1"}, publish_meter()))), at=NOON, **BY
    )
    with pytest.raises(Conflict) as other:
        price_usage(alone.prepaid, "disk", TEN, at=NOON)
    assert other.value.code == "metric_not_offered"


def test_000_41_discounts_of_an_account_are_lines_of_their_own(alone: Cast) -> None:
    meter = publish_meter()
    assign_offer(
        alone.prepaid.pk, publish(draft_offer("basic", price("gpu", {"flat": "10"}, meter))), at=BEGINNING, **BY
    )
    launch = grant_discount(alone.prepaid.pk, DiscountTerms(BEGINNING, percent="10", ends_at=LATER), at=BEGINNING, **BY)
    welcome = grant_discount(
        alone.prepaid.pk, DiscountTerms(BEGINNING, amount_minor=500, meter=meter, times=3), at=BEGINNING, **BY
    )
    quote = price_usage(alone.prepaid, GPU, TEN, at=NOON).quote
    assert [(line.kind, line.name, line.amount_minor) for line in quote.lines[1:]] == [
        ("discount", launch.public_id, -1000),
        ("discount", welcome.public_id, -500),
    ]
    assert quote.amount_minor == 8500
    assert cost(alone.prepaid, so_far=SoFar(uses={welcome.public_id: 3})) == 9000  # used up
    assert cost(alone.prepaid, at=LATER) == 9500  # dated: over
    withdraw_discount(launch.pk, at=NOON, **BY)
    assert cost(alone.prepaid, at=NOON) == 9500
    with pytest.raises(Conflict):
        withdraw_discount(launch.pk, at=NOON, **BY)
    with refused_by("account_discounts_are_withdrawn_once"):
        execute("UPDATE account_discounts SET amount_minor = 1 WHERE id = %s", [welcome.pk])


def test_000_41_a_counted_discount_is_taken_as_often_as_it_is_granted(alone: Cast) -> None:
    """On two of three bills; so is one that the published price itself counts."""
    meter = publish_meter()
    counted = {"flat": "10", "discounts": [{"name": "welcome", "amount": "1", "times": 1}]}
    offer = publish(draft_offer("basic", price("gpu", counted, meter)))
    assign_offer(alone.prepaid.pk, offer, at=BEGINNING, **BY)
    half = grant_discount(alone.prepaid.pk, DiscountTerms(BEGINNING, percent="50", times=2), at=BEGINNING, **BY)
    commitment = grant_commitment(
        alone.prepaid.pk, meter, amount_minor=1, months=3, starts_at=BEGINNING, in_advance=False, at=BEGINNING, **BY
    )
    bills = [draw_month(commitment.pk, TEN, at=LATER, **BY).billed_minor for _ in range(3)]
    assert bills == [4950, 5000, 10_000]
    assert cost(alone.prepaid, at=LATER) == 10_000
    assert half.uses.count() == 2
    used = "INSERT INTO discount_uses (billing_account_id, discount_id, metric, name, bill, used_at)"
    with refused_by("discounts_are_used_as_often_as_granted"):
        execute(f"{used} VALUES (%s, %s, %s, '', 'another', now())", [alone.prepaid.pk, half.pk, GPU])
    with refused_by("42501"):
        execute("DELETE FROM discount_uses")


def test_000_42_a_commitment_draws_down_and_trues_up(alone: Cast) -> None:
    meter = publish_meter()
    assign_offer(
        alone.prepaid.pk, publish(draft_offer("basic", price("gpu", {"flat": "1"}, meter))), at=BEGINNING, **BY
    )
    promised: dict[str, Any] = {"amount_minor": 100_000, "months": 3, "starts_at": BEGINNING, "in_advance": False}
    commitment = grant_commitment(alone.prepaid.pk, meter, at=BEGINNING, **promised, **BY)
    with pytest.raises(Conflict) as overlapping:
        grant_commitment(alone.prepaid.pk, meter, at=BEGINNING, **promised, **BY)
    assert overlapping.value.code == "terms_overlap"
    ends = [datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4)]
    with pytest.raises(Conflict) as early:
        draw_month(commitment.pk, Decimal(300), at=BEGINNING, **BY)
    assert early.value.code == "month_not_over"
    rows = [
        draw_month(commitment.pk, Decimal(used), at=end, **BY)
        for used, end in zip(("300", "250.50", "100"), ends, strict=True)
    ]
    assert [(row.drawn_minor, row.true_up_minor, row.billed_minor) for row in rows] == [
        (30_000, 0, 30_000),
        (25_050, 0, 25_050),
        (10_000, 34_950, 44_950),
    ]
    stand = standing(commitment)
    assert (stand.drawn_minor, stand.remaining_minor, stand.next_month) == (65_050, 34_950, None)
    with pytest.raises(Conflict) as over:
        draw_month(commitment.pk, TEN, at=LATER, **BY)
    assert over.value.code == "term_over"


def test_000_42_no_month_draws_twice_or_too_much(alone: Cast) -> None:
    meter = publish_meter()
    assign_offer(
        alone.prepaid.pk, publish(draft_offer("basic", price("gpu", {"flat": "1"}, meter))), at=BEGINNING, **BY
    )
    commitment = grant_commitment(
        alone.prepaid.pk, meter, amount_minor=1000, months=2, starts_at=BEGINNING, in_advance=True, at=BEGINNING, **BY
    )
    first = draw_month(commitment.pk, Decimal("15.005"), at=LATER, **BY)
    assert (first.used_minor, first.drawn_minor, first.billed_minor) == (1501, 1000, 501)
    insert = (
        "INSERT INTO commitment_draws (commitment_id, billing_account_id, month, used_minor, drawn_minor,"
        " true_up_minor, billed_minor, currency, drawn_at) VALUES (%s, %s, %s, 5, %s, 0, %s, 'USD', now())"
    )
    for month, drawn, billed in ((1, 0, 5), (3, 0, 5), (2, 5, 0), (2, 0, 4)):
        with refused_by("draws_stay_within_their_commitment"):
            execute(insert, [commitment.pk, alone.prepaid.pk, month, drawn, billed])
    execute(insert, [commitment.pk, alone.prepaid.pk, 2, 0, 5])
    assert CommitmentDraw.objects.count() == 2
    with refused_by("42501"):
        execute("UPDATE commitment_draws SET drawn_minor = 0")
