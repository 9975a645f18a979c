"""What usage costs, asked over HTTP: nothing is written."""

from typing import Any

import pytest

from accounts.clock import now
from tests.cast import Cast
from tests.quotas.api.scene import Clients, clients, code, send
from tests.quotas.offer_scene import set_price_book
from tests.row_counts import row_counts

QUOTES, CALCULATIONS = "/price-quotes", "/price-calculations"


@pytest.fixture
def they(cast: Cast) -> Clients:
    set_price_book(cast, now())
    return clients(cast)


def test_what_usage_costs_an_account(they: Clients, cast: Cast) -> None:
    wanted = {"billing_account": cast.prepaid.public_id, "metric": "gpu.hours", "quantity": "12.5"}
    before = row_counts()
    asked = send(they.viewer, "post", QUOTES, wanted)
    assert asked.status_code == 200, asked.json()
    body = asked.json()
    assert (body["amount_minor"], body["amount"], body["currency"]) == (2813, "28.125", "USD")
    assert (body["offer"], body["segment"], body["price_for"]) == ("basic", None, "everybody")
    assert [line["amount"] for line in body["lines"]] == ["31.25", "-3.125"]
    assert row_counts() == before
    for wrong, said in (
        ({"quantity": "1e3"}, 422),
        ({"quantity": "-1"}, 422),
        ({"quantity": True}, 422),
        ({"metric": "none"}, 409),
        ({"billing_account": cast.postpaid.public_id}, 409),
        ({"billing_account": cast.foreign.public_id}, 404),
        ({"at": "2001-01-01T00:00:00Z"}, 409),
        ({"at": "now"}, 422),
        ({"dimensions": {"region": 5}}, 422),
    ):
        refused = send(they.alice, "post", QUOTES, {**wanted, **wrong})
        assert refused.status_code == said, (wrong, refused.json())
    assert code(send(they.bob, "post", QUOTES, wanted)) == (403, "forbidden")
    assert code(send(they.charlie, "post", QUOTES, wanted)) == (404, "not_found")


def test_what_a_price_comes_to(they: Clients) -> None:
    tiers = [{"up_to": "100", "rate": "0.10"}, {"rate": "0.08"}]
    question = {"price": {"currency": "USD", "model": "graduated", "tiers": tiers}, "quantity": "250.5"}
    asked = send(they.bob, "post", CALCULATIONS, question)
    assert asked.status_code == 200, asked.json()
    assert (asked.json()["amount"], asked.json()["amount_minor"], len(asked.json()["lines"])) == ("22.04", 2204, 2)
    periods = {**question, "quantities": ["1", "2"]}
    periods.pop("quantity")
    assert len(send(they.bob, "post", CALCULATIONS, periods).json()["periods"]) == 2
    exact = {**question, "quantity": 0.1}  # a JSON number is read as the decimal it is written as
    assert send(they.bob, "post", CALCULATIONS, exact).json()["amount"] == "0.01"
    wrongs: tuple[Any, ...] = ({}, {"price": {}}, {**question, "quantity": -1}, {**question, "surprise": 1}, [])
    for wrong in wrongs:
        refused = they.bob.post(f"/api/v1{CALCULATIONS}", wrong, format="json")
        assert refused.status_code == 422, refused.json()
    wrong_tier = {**question, "price": {**question["price"], "tiers": [{"rate": "x"}]}}  # type: ignore[dict-item]
    refused = send(they.bob, "post", CALCULATIONS, wrong_tier)
    assert refused.json()["errors"][0]["pointer"] == "/price/tiers/0/rate"
