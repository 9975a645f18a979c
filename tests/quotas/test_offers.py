"""Offers: everything that could fail to bill is refused at publication, and what is published never changes."""

from typing import Any

import pytest
from django.db import transaction

from accounts import approvals
from accounts.errors import ApprovalRequired, Conflict, DomainError
from accounts.models import ApprovalRequest, AuditLog, OutboxMessage
from quotas import offers
from quotas.customer_segments import open_segment
from quotas.entitlements import assign_offer
from quotas.models import Offer, OfferPrice, ServicePrice
from quotas.pricing.faults import PriceInvalid
from tests.cast import BEGINNING, NOON, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.quotas.offer_scene import (
    BY,
    FLAT,
    GPU,
    draft_offer,
    one_person_publishes,
    price,
    publish,
    publish_meter,
)


@pytest.fixture
def alone(cast: Cast) -> Cast:
    one_person_publishes()
    return cast


def codes(offer: Offer) -> set[str]:
    with pytest.raises(PriceInvalid) as caught:
        offers.payload(offer)
    assert Offer.objects.get(pk=offer.pk).launch_stage == "Draft"
    return {fault.code for fault in caught.value.faults}


def test_a_publication_waits_for_a_second_person_and_does_exactly_what_was_seen(cast: Cast) -> None:
    meter = publish_meter()
    offer = draft_offer("basic", price("gpu", FLAT, meter))
    proposal = offers.payload(offer)
    with pytest.raises(ApprovalRequired):
        offers.publish(proposal, at=NOON, **BY)
    filed = approvals.submit(offers.ACT, proposal, maker=cast.dana, reason="spring prices", at=NOON).request
    assert filed is not None
    price("gpu", {"flat": "3"}, meter)
    with pytest.raises(Conflict) as caught:
        approvals.decide(filed.pk, checker=cast.erin, approve=True, note="", at=NOON)
    assert caught.value.code == "offer_changed"
    assert ApprovalRequest.objects.get(pk=filed.pk).state == "pending"
    price("gpu", FLAT, meter)
    approvals.decide(filed.pk, checker=cast.erin, approve=True, note="", at=NOON)
    offer.refresh_from_db()
    assert (offer.launch_stage, offer.published_at) == ("GA", NOON)
    assert offer.snapshot == {"USD": {"prices": [{"flat": "2.50", "currency": "USD", "metric": GPU}], "fees": []}}
    assert AuditLog.objects.filter(action="offer.publish", actor=cast.dana).exists()
    assert OutboxMessage.objects.filter(topic="quotas.offer_published").count() == 1


def test_nothing_that_could_fail_to_bill_is_published(alone: Cast) -> None:
    meter, draft = publish_meter(GPU, "region"), publish_meter("disk", phase="Draft")
    startups = open_segment("startup", "Start-ups", at=BEGINNING, **BY)
    plain = price("gpu", FLAT, meter)
    special = price("gpu-startup", FLAT, meter, segment=startups)
    fee = price("fee", {"amount": "10.00"}, charge_type="Recurring")
    assert codes(draft_offer("empty")) == {"empty"}
    assert codes(draft_offer("twice", plain, price("gpu-2", FLAT, meter))) == {"duplicate_metric"}
    assert codes(draft_offer("nobody", special)) == {"no_default_price"}
    assert codes(draft_offer("unpublished", price("disk", FLAT, draft))) == {"unknown_metric"}
    assert codes(draft_offer("fees", plain, fee)) == {"charge_types_incomplete"}
    euro = price("disk-eur", FLAT, publish_meter("disk-2"), currency="EUR")
    assert codes(draft_offer("uneven", plain, euro)) == {"metric_without_price"}
    assert codes(draft_offer("all", price("gpu-3", FLAT, meter), plain, fee)) == {
        "duplicate_metric",
        "charge_types_incomplete",
    }


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (
            {"rates": [{"match": {"dimension": "zone", "value": "a"}, "flat": "1"}, {"flat": "2"}]},
            "undeclared_dimension",
        ),
        ({"rates": [{"match": {"dimension": "region", "value": "a"}, "flat": "1"}]}, "no_catch_all"),
        ({"tiered": [{"upTo": "5", "rate": "1"}, {"upTo": "4", "rate": "1"}, {"rate": "1"}]}, "bounds_not_increasing"),
        ({"flat": "1", "commitment": {"amount": "10"}}, "commitment_not_here"),
        ({"flat": "1", "currency": "USD"}, "given_twice"),
        ({"flat": "1", "for": {"segment": "x"}}, "given_twice"),
        ([], "not_an_object"),
        ({}, "required"),
        ({"flat": 0.5}, "inexact"),
    ],
)
def test_a_draft_that_is_no_price_is_not_kept(cast: Cast, document: Any, code: str) -> None:
    meter = publish_meter(GPU, "region")
    with pytest.raises(PriceInvalid) as caught:
        price("gpu", document, meter)
    assert code in {fault.code for fault in caught.value.faults}
    assert not ServicePrice.objects.exists()


def test_other_wrong_drafts_are_refused_by_field(cast: Cast) -> None:
    meter, retired = publish_meter(), publish_meter("old", phase="Retired")
    segment, account = open_segment("startup", "Start-ups", at=BEGINNING, **BY), cast.prepaid
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("code_invalid", {"code": "No Code", "document": FLAT, "meter": meter}),
        ("currency_unknown", {"code": "a", "document": FLAT, "meter": meter, "currency": "ZZZ"}),
        ("meter_required", {"code": "a", "document": FLAT}),
        ("meter_retired", {"code": "a", "document": FLAT, "meter": retired}),
        ("audience_invalid", {"code": "a", "document": FLAT, "meter": meter, "segment": segment, "account": account}),
        ("charge_type_invalid", {"code": "a", "document": FLAT, "charge_type": "Sometimes"}),
        ("meter_not_wanted", {"code": "a", "document": {"amount": 1}, "meter": meter, "charge_type": "OneTime"}),
        ("price_invalid", {"code": "a", "document": {"amount": "0.001"}, "charge_type": "OneTime"}),
        ("price_invalid", {"code": "a", "document": {"amount": 1, "interval": "daily"}, "charge_type": "Recurring"}),
    ]  # fmt: skip
    for code, fields in wrong:
        with pytest.raises(DomainError) as caught:
            price(fields.pop("code"), fields.pop("document"), fields.pop("meter", None), **fields)
        assert caught.value.code == code
    assert not ServicePrice.objects.exists()


def test_a_published_offer_keeps_all_but_its_name(alone: Cast) -> None:
    gpu = price("gpu", FLAT, publish_meter())
    offer = publish(draft_offer("basic", gpu))
    with pytest.raises(Conflict) as caught:
        draft_offer("basic", gpu)
    assert caught.value.code == "offer_published"
    offers.rename(offer.pk, "Basic 2026", at=NOON, **BY)
    assert Offer.objects.get().display_name == "Basic 2026"
    for change in (
        "snapshot = '{}'",
        "launch_stage = 'Draft', snapshot = NULL, published_at = NULL",
        "charge_types = '[]'",
        "code = 'other'",
        "published_at = now()",
    ):
        with refused_by("offers_are_frozen"):
            execute(f"UPDATE offers SET {change} WHERE id = %s", [offer.pk])
    held = OfferPrice.objects.get()
    with refused_by("offers_are_frozen"):
        execute("DELETE FROM offer_prices WHERE id = %s", [held.pk])
    other = price("other", FLAT, publish_meter("disk"))
    with refused_by("offers_are_frozen"):
        execute("INSERT INTO offer_prices (offer_id, price_id) VALUES (%s, %s)", [offer.pk, other.pk])
    with refused_by("offers_are_frozen"):
        execute(
            "INSERT INTO offers (code, display_name, launch_stage, charge_types, snapshot, created_at, published_at)"
            " VALUES ('born', 'Born', 'GA', '[]', '{}', now(), now())"
        )


def test_the_database_bills_by_published_offers_only_one_at_a_time(alone: Cast) -> None:
    gpu = price("gpu", FLAT, publish_meter())
    draft, one = draft_offer("draft", gpu), publish(draft_offer("one", gpu))
    insert = "INSERT INTO billing_entitlements (billing_account_id, offer_id, effective_from) VALUES (%s, %s, %s)"
    with refused_by("entitlements_name_an_offer_at_ga"):
        execute(insert, [alone.prepaid.pk, draft.pk, NOON])
    held = assign_offer(alone.prepaid.pk, one, at=NOON, **BY)
    with refused_by("one_entitlement_per_account"):
        execute(insert, [alone.prepaid.pk, one.pk, NOON])
    with refused_by("billing_entitlements_close_once"):
        execute("UPDATE billing_entitlements SET offer_id = %s, effective_to = now()", [draft.pk])
    with transaction.atomic():
        execute("UPDATE billing_entitlements SET effective_to = %s WHERE id = %s", [NOON, held.pk])
        with refused_by("entitlements_follow_each_other"):
            execute(insert, [alone.prepaid.pk, one.pk, BEGINNING])
        with refused_by("billing_entitlements_close_once"):
            execute("UPDATE billing_entitlements SET effective_to = %s WHERE id = %s", [BEGINNING, held.pk])


def test_an_offer_is_assigned_when_it_is_published_and_sold_in_the_currency(alone: Cast) -> None:
    meter = publish_meter()
    euro = publish(draft_offer("euro", price("gpu-eur", FLAT, meter, currency="EUR")))
    draft = draft_offer("draft", price("gpu", FLAT, meter))
    for offer, code in ((draft, "offer_not_ga"), (euro, "offer_lacks_currency")):
        with pytest.raises(Conflict) as caught:
            assign_offer(alone.prepaid.pk, offer, at=NOON, **BY)
        assert caught.value.code == code
    assert not alone.prepaid.entitlements.exists()
    one = publish(draft)
    assign_offer(alone.prepaid.pk, one, at=NOON, **BY)
    with pytest.raises(Conflict) as again:
        assign_offer(alone.prepaid.pk, one, at=NOON, **BY)
    assert again.value.code == "already_assigned"
