"""The price calculator: what it shows is what price_quantity answers, and what is wrong is said with its path."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing_site.back_office.price_examples import NAMES, example
from tests.cast import Cast
from tests.row_counts import row_counts

GRADUATED = '{"currency": "USD", "tiered": [{"upTo": 100, "rate": "0.10"}, {"rate": "0.08"}]}'


@pytest.fixture
def ask(cast: Cast) -> Any:
    client = Client()
    client.force_login(cast.erin)

    def answer(**form: str) -> Any:
        before = row_counts()
        response = client.post(reverse("admin:price_calculator"), form)
        assert row_counts() == before
        return response

    return answer


def cells(text: str) -> list[list[str]]:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows
    ]


def test_a_quantity_is_shown_tier_by_tier(ask: Any) -> None:
    response = ask(price=GRADUATED, quantity="1250.555")
    assert response.status_code == 200
    assert ["Up to 100", "100", "0.10 USD", "10.00 USD", "10.00 USD"] in cells(response.text)
    assert ["Above 100", "1,150.555", "0.08 USD", "92.0444 USD", "92.04 USD"] in cells(response.text)
    assert ["Together", "102.0444 USD", "102.04 USD"] in cells(response.text)


def test_the_periods_of_a_term_follow_each_other(ask: Any) -> None:
    price = '{"currency": "USD", "flat": "1", "commitment": {"amount": "1000", "periods": 3}}'
    text = ask(price=price, quantity="300 250.50 100").text
    assert "Billed over 3 periods" in text
    assert ["True-up of the commitment", "", "", "349.50 USD", "349.50 USD"] in cells(text)
    assert "1,000.00 USD" in text


def test_a_list_is_asked_for_whom(ask: Any) -> None:
    prices = (
        '{"currency": "USD", "prices": [{"metric": "m", "flat": "2.50"},'
        ' {"metric": "m", "flat": "2", "for": {"segment": "startup"}}]}'
    )
    assert "25.00 USD" in ask(price=prices, quantity="10").text
    assert "20.00 USD" in ask(price=prices, quantity="10", segment="startup", metric="m").text


def test_every_example_is_answered(ask: Any) -> None:
    for name in NAMES:
        response = ask(**example(name))
        assert response.status_code == 200, name
        assert "How it is priced" in response.text or "Period 1" in response.text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"price": '{"currency": "USD", "flat": 1.5}', "quantity": "1"}, "price.flat"),
        ({"price": "{", "quantity": "1"}, "column 2"),
        ({"price": GRADUATED, "quantity": "-1"}, "usage[0].quantity"),
        ({"price": GRADUATED, "quantity": "1", "dimensions": "region"}, "dimensions_invalid"),
        ({"price": GRADUATED, "quantity": ""}, "This field is required"),
        ({"price": "7", "quantity": "1"}, "write an object"),
        ({"price": '"<script>alert(1)</script>"', "quantity": "1"}, "write an object"),
        ({"price": '{"currency":"USD","flat":"999999999999"}', "quantity": "99999999999999"}, "amount_invalid"),
    ],
)
def test_what_is_wrong_is_said(ask: Any, form: dict[str, str], said: str) -> None:
    response = ask(**form)
    assert response.status_code == 422
    assert said in response.text
    assert "<script>alert(1)" not in response.text
