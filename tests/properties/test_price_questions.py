"""Whatever is asked of price_quantity is answered or refused with a code: no question makes it fail."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.errors import DomainError
from quotas.pricing.answers import answer_as_json
from quotas.pricing.json_text import read_json
from quotas.pricing.requests import read_question
from tests.cast import NOON

WORDS = (
    *("price", "model", "price_list", "offer", "prices", "quantity", "quantities", "usage", "dimensions", "at"),
    *("metric", "account", "segment", "period", "drawn", "uses", "currency", "flat", "tiered", "rate", "tiers", "fee"),
    *("up_to", "upTo", "size", "percent", "minimum", "max", "free_units", "discounts", "commitment", "amount", "for"),
    *("periods", "paid", "name", "times", "starts", "ends", "rates", "match", "dimension", "value", "x\x00", "\ud800"),
)
LEAVES: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        1,
        -1,
        10**15,
        10**40,
        0.5,
        1e308,
        "",
        "0",
        "1",
        "12.5",
        "-3",
        "1e400",
        "NaN",
        "inf",
        "USD",
        "KWD",
    ),
    *("graduated", "volume", "package", "flat", "percentage", "arrears", "advance", "m", "999999999999.999999999999"),
    *("2026-01-01T00:00:00Z", "\x00", "\ud800", "１", "x" * 300),
)
OUTCOMES = {"answered", "price_invalid", "json_invalid", "amount_invalid"}
documents = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=25,
)
charges = st.sampled_from(
    [
        {"flat": "999999999999.999999999999", "fee": "999999999999"},
        {"model": "volume", "tiers": [{"up_to": "0.000000000001", "rate": "1"}, {"rate": "0.1"}]},
        {"size": "0.000000000001", "price": "0.000000000001"},
        {"percent": "1000", "fee": "1"},
    ]
)


def outcome(document: Any) -> str:
    """`answered`, or the code of the refusal; anything else that is raised fails the test."""
    try:
        answer = answer_as_json(read_question(read_json(json.dumps(document)), at=NOON))
    except DomainError as error:
        return error.code
    json.dumps(answer)
    return "answered"


@settings(derandomize=True, deadline=None, print_blob=True, max_examples=600)
@given(documents)
@example({"price": {"currency": "USD", "flat": 1, "commitment": {"amount": 1}}, "quantity": 1, "drawn": "9"})
@example({"price": {}, "quantity": {}})
@example({"prices": [], "quantity": 1})
@example({"price": {"currency": [], "flat": {}}, "quantity": []})
@example({"price": {"currency": "USD", "flat": 1, "for": {"segment": 1}}, "quantities": [{"usage": [{}]}]})
def test_any_document_is_answered_or_refused_with_a_code(document: Any) -> None:
    assert outcome(document) in OUTCOMES


@settings(derandomize=True, deadline=None, print_blob=True, max_examples=300)
@given(charges, documents, documents, documents, st.sampled_from(["USD", "JPY", "CLF"]))
def test_a_price_with_any_surroundings_too(charge: Any, one: Any, other: Any, third: Any, currency: str) -> None:
    price = {"currency": currency, **charge, "discounts": one, "commitment": other, "minimum": third}
    for asked in ("999999999999999.999999999999", "0.000000000001", "0"):
        assert outcome({"price": price, "quantity": asked}) in OUTCOMES
