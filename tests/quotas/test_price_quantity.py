"""The command price_quantity: every example of docs/pricing.md, and every kind of refusal with its path."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pricing.md"
EXAMPLE = re.compile(r"```json\n(.+?)\n```\n→ ([\d.]+), (\d+) minor", re.DOTALL)
TIERS = [{"up_to": "10", "rate": "1"}, {"rate": "0.5"}]
FLAT = {"currency": "USD", "flat": "1"}


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Any:
    def answer(question: str) -> dict[str, Any]:
        printed = io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(question))
        refused = ""
        try:
            call_command("price_quantity", stdout=printed)
        except CommandError as error:
            refused = str(error) if error.returncode == 1 else ""
        said: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])
        error_said: dict[str, Any] = said.get("error", said)
        assert refused.startswith(error_said["code"]) if "error" in said else not refused
        return error_said

    return answer


def examples() -> Iterator[tuple[str, str, int]]:
    for question, amount, minor in EXAMPLE.findall(PAGE.read_text()):
        yield question, amount, int(minor)


@pytest.mark.parametrize(("question", "amount", "minor"), list(examples()))
def test_the_examples_of_the_documentation(ask: Any, question: str, amount: str, minor: int) -> None:
    answer = ask(question)
    assert (answer.get("amount"), answer.get("amount_minor")) == (amount, minor), answer
    assert sum(line["amount_minor"] for line in answer["lines"]) == minor


def test_every_example_has_its_answer() -> None:
    assert len(list(examples())) == PAGE.read_text().count("```json") >= 12


def test_a_term_shows_each_period(ask: Any) -> None:
    price = {**FLAT, "commitment": {"amount": "1000", "periods": 3}}
    answer = ask(json.dumps({"price": price, "quantities": ["300", "250.50", "100"]}))
    assert [period["amount"] for period in answer["periods"]] == ["300", "250.5", "449.5"]
    assert [period["commitment"]["remaining_minor"] for period in answer["periods"]] == [70_000, 44_950, 34_950]
    assert answer["commitment"]["true_up_minor"] == 34_950
    assert answer["lines"][-1]["kind"] == "commitment_true_up"


@pytest.mark.parametrize(
    "question",
    [
        {"price": {"currency": "USD", "model": "graduated", "tiers": TIERS}, "quantity": 12},
        {"model": {"currency": "USD", "type": "tiered", "bands": TIERS}, "quantity": "12"},
        {"currency": "USD", "model": "graduated", "tiers": TIERS, "quantity": "12.0"},
        {"currency": "USD", "tiered": [{"upTo": 10, "rate": 1}, {"upTo": None, "rate": "0.5"}], "units": 12},
        {"price": {"model": "graduated", "tiers": TIERS}, "currency": "USD", "usage": ["5", {"quantity": "7"}]},
        {"currency": "USD", "prices": [{"metric": "m", "model": "graduated", "tiers": TIERS}], "quantity": 12},
    ],
)
def test_spellings_of_one_question(ask: Any, question: dict[str, Any]) -> None:
    assert ask(json.dumps(question)).get("amount") == "11"


def price(**changed: Any) -> dict[str, Any]:
    return {"price": {"currency": "USD", **changed}, "quantity": 1}


def tiers(*bands: Any) -> dict[str, Any]:
    return price(model="graduated", tiers=list(bands))


def rates(*listed: Any) -> dict[str, Any]:
    return price(dimensions=["region"], rates=list(listed))


OPEN = {"rate": "1"}
EU = {"match": {"dimension": "region", "value": "eu"}, "flat": "1"}
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (tiers({"up_to": 5, "rate": 1}, {"up_to": 5, "rate": 1}, OPEN), "price.tiers[1].up_to", "bounds_not_increasing"),
    (tiers({"up_to": 0, "rate": 1}, OPEN), "price.tiers[0].up_to", "bounds_not_increasing"),
    (tiers({"up_to": 5, "rate": 1}), "price.tiers[0].up_to", "last_tier_closed"),
    (tiers(OPEN, OPEN), "price.tiers[0].up_to", "open_tier_before_last"),
    (tiers(), "price.tiers", "empty"),
    (tiers(*[{"up_to": n, "rate": 1} for n in range(1, 200)]), "price.tiers", "too_many"),
    (tiers({"rate": "-1"}), "price.tiers[0].rate", "negative"),
    (tiers({"rate": "1", "ratio": 1}), "price.tiers[0].ratio", "unknown_key"),
    (tiers("x"), "price.tiers[0]", "not_an_object"),
    (rates(EU), "price.rates", "no_catch_all"),
    (rates(EU, {"flat": 1}, {"flat": 2}), "price.rates", "several_catch_alls"),
    (rates(EU, EU, {"flat": 1}), "price.rates[1].match", "duplicate_match"),
    (
        rates({"match": {"dimension": "zone", "value": "a"}, "flat": 1}, {"flat": 1}),
        "price.rates[0].match.dimension",
        "undeclared_dimension",
    ),
    (price(flat="1e400"), "price.flat", "not_a_number"),
    (price(flat="NaN"), "price.flat", "not_a_number"),
    (price(flat="１"), "price.flat", "not_a_number"),
    (price(flat=" 1"), "price.flat", "not_a_number"),
    (price(flat=True), "price.flat", "not_a_number"),
    (price(flat=0.1), "price.flat", "inexact"),
    (price(flat=10**40), "price.flat", "inexact"),
    (price(flat="9" * 5000), "price.flat", "not_a_number"),
    (price(flat="1000000000000"), "price.flat", "too_large"),
    (price(flat="0.0000000000001"), "price.flat", "too_precise"),
    (price(flat=1, model="flat", rate=1), "price.rate", "unknown_key"),
    (price(flat=1, percent=1), "price.model", "ambiguous"),
    (price(), "price.model", "required"),
    (price(model="free"), "price.model", "unknown_model"),
    (price(model="volume", rate=1), "price.tiers", "not_a_list"),
    (price(size=0, price=1), "price.size", "zero"),
    (price(flat=1, minimum=2, maximum=1), "price.minimum", "minimum_above_maximum"),
    (price(flat=1, discounts=[{"percent": 10, "amount": 1}]), "price.discounts[0]", "discount_invalid"),
    (price(flat=1, discounts=[{"percent": "100.1"}]), "price.discounts[0].percent", "too_large"),
    (price(flat=1, discounts=[{"percent": 1, "times": 0}]), "price.discounts[0].times", "zero"),
    (
        price(flat=1, discounts=[{"name": "a", "percent": 1}, {"name": "a", "percent": 2}]),
        "price.discounts[1].name",
        "duplicate_name",
    ),
    (price(flat=1, discounts=[{"percent": 1, "starts": "soon"}]), "price.discounts[0].starts", "time_invalid"),
    (price(flat=1, commitment={"amount": "0.001"}), "price.commitment.amount", "too_precise"),
    (price(flat=1, commitment={"amount": 1, "paid": "never"}), "price.commitment.paid", "unknown_word"),
    ({"price": FLAT, "quantity": 1, "period": 2, "drawn": "1"}, "drawn", "beyond_the_commitment"),
    ({"price": {**FLAT, "commitment": {"amount": 1}}, "quantity": 1, "period": 2}, "period", "after_the_term"),
    (price(currency="XXX", flat=1), "price.currency", "currency_unknown"),
    ({"price": {"flat": 1}, "quantity": 1}, "price.currency", "required"),
    ({"quantity": 1}, "price", "required"),
    ({"price": FLAT}, "quantity", "required"),
    ({"price": FLAT, "quantity": 1, "quantities": [1]}, "quantity", "ambiguous"),
    ({"price": FLAT, "quantity": 1, "amount": 1}, "quantity", "given_twice"),
    ({"price": FLAT, "quantity": 1.5}, "quantity", "inexact"),
    ({"price": FLAT, "quantity": "-1"}, "quantity", "negative"),
    ({"price": FLAT, "quantity": 1, "colour": "red"}, "colour", "unknown_key"),
    (
        {"currency": "USD", "prices": [{"metric": "m", "flat": 1}] * 2, "quantity": 1},
        "prices[1].metric",
        "duplicate_metric",
    ),
    (
        {"currency": "USD", "prices": [{"metric": "m", "flat": 1, "for": {"segment": "s"}}], "quantity": 1},
        "prices",
        "no_default_price",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("question", "path", "code"), REFUSED, ids=[f"{path} {code}" for _, path, code in REFUSED])
def test_a_fault_is_named_with_its_path(ask: Any, question: dict[str, Any], path: str, code: str) -> None:
    error = ask(json.dumps(question))
    assert error.get("code") == "price_invalid", error
    assert (path, code) in {(fault["path"], fault["code"]) for fault in error["faults"]}, error


def test_all_faults_are_listed_at_once(ask: Any) -> None:
    error = ask('{"currency":"EUR","model":"volume","tiers":[{"up_to":3,"rate":-2},{"rate":1.5,"x":1}],"quantity":NaN}')
    assert [fault["code"] for fault in error["faults"]] == ["negative", "inexact", "unknown_key", "inexact"]
    assert error["field"] == "price.tiers[0].rate"


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "7", '{"a":1,"a":2}', "[" * 100_000, "x" * 1_100_000, '{"price":"\\ud800"}']
)
def test_what_is_no_question_is_refused(ask: Any, text: str) -> None:
    assert ask(text)["code"] in ("json_invalid", "price_invalid")


def test_an_amount_beyond_the_books_is_refused(ask: Any) -> None:
    assert ask(json.dumps({"price": {**FLAT, "flat": "999999999999"}, "quantity": 10**14}))["code"] == "amount_invalid"
