"""The command price_usage, and the calculator with what the price book holds."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.clock import now
from tests.cast import Cast
from tests.quotas.offer_scene import PriceBook, set_price_book
from tests.row_counts import row_counts


@pytest.fixture
def book(cast: Cast) -> PriceBook:
    return set_price_book(cast, now())


def ask(*arguments: str) -> dict[str, Any]:
    printed = io.StringIO()
    call_command("price_usage", *arguments, stdout=printed)
    return dict(json.loads(printed.getvalue().splitlines()[-1]))


def test_it_says_what_usage_costs_and_whose_price_that_is(cast: Cast, book: PriceBook) -> None:
    before = row_counts()
    answer = ask(cast.prepaid.public_id, "gpu.hours", "10.5", "--dimension", "region=eu")
    assert (answer["amount"], answer["amount_minor"], answer["currency"]) == ("23.625", 2363, "USD")  # 10 % off
    assert (answer["offer"], answer["segment"], answer["price_for"]) == ("basic", None, "everybody")
    assert [line["kind"] for line in answer["lines"]] == ["flat", "discount"]
    assert row_counts() == before


def test_what_cannot_be_priced_is_refused_by_its_code(cast: Cast, book: PriceBook) -> None:
    account = cast.prepaid.public_id
    for code, *arguments in (
        ("not_found", "ba_0000000zzzzzz", "gpu.hours", "1"),
        ("not_found", "ba\x00", "gpu.hours", "1"),
        ("no_offer", cast.postpaid.public_id, "gpu.hours", "1"),
        ("no_offer", account, "gpu.hours", "1", "--at=2026-01-01T00:00:00Z"),
        ("metric_not_offered", account, "disk.hours", "1"),
        ("text_invalid", account, "gpu\x00", "1"),
        ("price_invalid", account, "gpu.hours", "1e400"),
        ("price_invalid", account, "gpu.hours", "NaN"),
        ("price_invalid", account, "gpu.hours", "1" * 40),
        ("dimensions_invalid", account, "gpu.hours", "1", "--dimension=region"),
        ("time_invalid", account, "gpu.hours", "1", "--at=noon"),
        ("amount_invalid", account, "gpu.hours", "999999999999999"),
    ):
        with pytest.raises(CommandError, match=f"^{code}: "):
            ask(*arguments)


def test_the_calculator_begins_with_an_offer_or_a_draft(cast: Cast, book: PriceBook) -> None:
    client = Client()
    client.force_login(cast.erin)
    page = reverse("admin:price_calculator")
    first = client.get(page, {"offer": "basic", "currency": "USD"}).context["form"].initial
    assert [price["flat"] for price in json.loads(first["price"])["prices"]] == ["2.50", "2.00"]
    answered = client.post(page, {**first, "quantity": "10", "segment": "startup"})
    assert "20.00 USD" in answered.text
    draft = client.get(page, {"price_code": "gpu"}).context["form"].initial
    assert json.loads(draft["price"])["flat"] == "2.50"
    assert client.post(page, draft).status_code == 200
    assert "basic in USD" in client.get(page).text
    for asked in (
        {"offer": "next", "currency": "USD"},
        {"offer": "\x00"},
        {"price_code": "support"},
        {"offer": "basic"},
    ):
        assert client.get(page, asked).context["form"].initial["quantity"] == "1250.5"  # the example


def test_the_form_of_a_draft_begins_with_it(cast: Cast, book: PriceBook) -> None:
    client = Client()
    client.force_login(cast.dana)
    price = client.get(reverse("admin:quotas_serviceprice_save"), {"code": "gpu-startup"}).context["form"].initial
    assert (price["metric"], price["segment"], json.loads(price["document"])) == (
        "gpu.hours",
        "startup",
        {"flat": "2.00"},
    )
    offer = client.get(reverse("admin:quotas_offer_save"), {"code": "next"}).context["form"].initial
    assert offer["prices"] == "gpu, gpu-startup"
    for name in ("quotas_serviceprice_save", "quotas_offer_save"):
        assert client.get(reverse(f"admin:{name}"), {"code": "\x00"}).status_code == 200
