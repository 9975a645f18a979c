"""The price models against brute force: usage is cut into quarters of a unit, and each is priced on its own."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from accounts.currencies import EXPONENTS
from quotas.pricing.quotes import Quote, Usage, quote, quote_term
from quotas.pricing.reading_prices import read_price

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
QUARTER = Fraction(1, 4)
CURRENCIES = ("USD", "JPY", "KWD", "CLF")

reproducible = settings(derandomize=True, deadline=None, print_blob=True, max_examples=150)
rates = st.decimals(0, 50, places=7)
amounts = st.decimals(0, 500, places=2)
currencies = st.sampled_from(CURRENCIES)
quarters = st.integers(0, 400)  # of a unit
Document = dict[str, Any]


@st.composite
def bands(draw: DrawFn) -> list[tuple[int | None, Decimal, Decimal]]:
    """(last quarter of the band or None, rate, fee)."""
    bounds = sorted(draw(st.sets(st.integers(1, 380), max_size=4)))
    return [(bound, draw(rates), draw(amounts)) for bound in [*bounds, None]]


def text(number: Decimal | int) -> str:
    """As people write it: without an exponent."""
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def document(model: str, tiers: list[tuple[int | None, Decimal, Decimal]], currency: str = "USD") -> Document:
    written = [
        {"up_to": None if last is None else text(Decimal(last) / 4), "rate": text(rate), "fee": text(fee)}
        for last, rate, fee in tiers
    ]
    return {"currency": currency, "model": model, "tiers": written}


def ask(price: Document, count: int) -> Quote:
    """Price a number of quarters of a unit."""
    return quote(read_price(price), [Usage(Decimal(count) / 4)], at=AT)


def band_of(place: int, tiers: list[tuple[int | None, Decimal, Decimal]]) -> int:
    """In which band the quarter number `place` (from 1) lies."""
    return sum(1 for last, _, _ in tiers if last is not None and place > last)


def nearest(amount: Fraction, currency: str) -> int:
    """The nearest whole minor unit, a half upwards."""
    doubled = 2 * amount * 10 ** EXPONENTS[currency] + 1
    return (doubled.numerator // doubled.denominator) // 2


@reproducible
@given(bands(), quarters, currencies)
def test_graduated_is_the_sum_of_its_quarters(tiers: Any, count: int, currency: str) -> None:
    used = [band_of(place, tiers) for place in range(1, count + 1)]
    exact = sum((Fraction(tiers[band][1]) * QUARTER for band in used), Fraction(0))
    exact += sum((Fraction(tiers[band][2]) for band in set(used)), Fraction(0))
    answer = ask(document("graduated", tiers, currency), count)
    assert Fraction(answer.amount) == exact
    assert answer.amount_minor == nearest(exact, currency)


@reproducible
@given(bands(), quarters)
def test_volume_is_every_quarter_at_the_rate_of_the_last(tiers: Any, count: int) -> None:
    _, rate, fee = tiers[band_of(count, tiers)]
    exact = sum((Fraction(rate) * QUARTER for _ in range(count)), Fraction(fee) if count else Fraction(0))
    assert Fraction(ask(document("volume", tiers), count).amount) == exact


@reproducible
@given(bands(), st.sampled_from(["graduated", "volume"]), st.sampled_from([-1, 0, 1]), st.data())
def test_at_the_edges_of_tiers(tiers: Any, model: str, beside: int, data: st.DataObject) -> None:
    """An edge belongs to the tier that it ends; one quarter more begins the next."""
    edge = data.draw(st.sampled_from([0, *(last for last, _, _ in tiers if last)]))
    count = max(edge + beside, 0)
    lines = ask(document(model, tiers), count).lines
    expected = band_of(count, tiers)
    assert bool(lines) == (count > 0)
    if lines:
        assert (
            Fraction(lines[-1].over or 0) == (tiers[expected - 1][0] or 0) * QUARTER if expected else not lines[0].over
        )


@reproducible
@given(st.integers(1, 60), amounts, quarters)
def test_packs_are_opened_until_the_quantity_is_held(size: int, price: Decimal, count: int) -> None:
    packs = 0
    while packs * size < count:
        packs += 1
    asked = {"currency": "USD", "model": "package", "size": text(Decimal(size) / 4), "price": text(price)}
    assert Fraction(ask(asked, count).amount) == packs * Fraction(price)


@reproducible
@given(st.decimals(0, 150, places=4), amounts, amounts, amounts, quarters)
def test_a_percentage_stays_within_its_bounds(
    percent: Decimal, fee: Decimal, one: Decimal, other: Decimal, count: int
) -> None:
    least, most = sorted([one, other])
    asked = {"currency": "USD", "percent": text(percent), "fee": text(fee), "min": text(least), "max": text(most)}
    free = Fraction(percent) * count * QUARTER / 100 + (Fraction(fee) if count else 0)
    answer = ask(asked, count)
    assert Fraction(answer.amount) == sorted([Fraction(least), free, Fraction(most)])[1]
    assert least <= answer.amount <= most


@reproducible
@given(rates, quarters, quarters)
def test_flat_adds_up(rate: Decimal, one: int, other: int) -> None:
    asked = {"currency": "USD", "flat": text(rate)}
    assert ask(asked, one).amount + ask(asked, other).amount == ask(asked, one + other).amount


@reproducible
@given(bands(), st.integers(0, 80), st.lists(quarters, min_size=2, max_size=6))
def test_more_never_costs_less(tiers: Any, free: int, counts: list[int]) -> None:
    """Volume is left out: reaching a cheaper tier is what it is for."""
    graduated = {**document("graduated", tiers), "free_units": text(Decimal(free) / 4), "minimum": "3"}
    package = {"currency": "USD", "size": 3, "price": text(tiers[0][1])}
    for asked in (graduated, package):
        minors = [ask(asked, count).amount_minor for count in sorted(counts)]
        assert all(fewer <= more for fewer, more in pairwise(minors))


@reproducible
@given(bands(), st.integers(0, 80), quarters)
def test_free_units_are_as_if_not_used(tiers: Any, free: int, count: int) -> None:
    asked = document("graduated", tiers)
    with_free = ask({**asked, "free_units": text(Decimal(free) / 4)}, count)
    assert with_free.amount == ask(asked, max(count - free, 0)).amount


@reproducible
@given(bands(), amounts, st.lists(st.tuples(st.booleans(), st.decimals(0, 100, places=3)), max_size=4), quarters)
def test_discounts_in_turn_then_the_minimum(tiers: Any, minimum: Decimal, cuts: Any, count: int) -> None:
    discounts = [{"percent" if share else "amount": text(size)} for share, size in cuts]
    asked = {**document("graduated", tiers), "discounts": discounts, "minimum": text(minimum)}
    left = Fraction(ask(document("graduated", tiers), count).amount)
    for share, size in cuts:
        left = left * (100 - Fraction(size)) / 100 if share else max(left - Fraction(size), Fraction(0))
    answer = ask(asked, count)
    assert Fraction(answer.amount) == max(left, Fraction(minimum))
    assert answer.amount >= minimum


@reproducible
@given(bands(), st.integers(0, 80), amounts, st.lists(st.decimals(0, 100, places=3), max_size=3), quarters, currencies)
def test_lines_add_up_to_the_amount_in_both_senses(
    tiers: Any, free: int, minimum: Decimal, cuts: list[Decimal], count: int, currency: str
) -> None:
    discounts = [{"percent": text(cut)} for cut in cuts]
    priced = {"free_units": text(Decimal(free) / 4), "minimum": text(minimum), "discounts": discounts}
    answer = ask({**document("graduated", tiers, currency), **priced}, count)
    assert sum(Fraction(line.amount) for line in answer.lines) == Fraction(answer.amount)
    assert sum(line.amount_minor for line in answer.lines) == answer.amount_minor
    unit = Fraction(1, 10 ** EXPONENTS[currency])
    assert all(abs(line.amount_minor * unit - Fraction(line.amount)) <= unit for line in answer.lines)


@reproducible
@given(rates, st.integers(1, 4), st.lists(quarters, min_size=1, max_size=8))
def test_a_counted_discount_is_used_no_more_often_than_its_count(rate: Decimal, times: int, counts: list[int]) -> None:
    """It is spent on the first periods in which there is something to take."""
    price = {"currency": "USD", "rate": text(rate), "discounts": [{"name": "hello", "percent": 50, "times": times}]}
    answers = quote_term(read_price(price), [(AT, [Usage(Decimal(count) / 4)]) for count in counts])
    left = times
    for count, answer in zip(counts, answers, strict=True):
        full = Fraction(rate) * count * QUARTER
        taken = full > 0 and left > 0
        left -= taken
        assert Fraction(answer.amount) == (full / 2 if taken else full)
    assert answers[-1].so_far.uses.get("hello", 0) == times - left


@reproducible
@given(rates, st.integers(1, 100_000), st.booleans(), st.lists(quarters, min_size=1, max_size=6), currencies)
def test_a_term_bills_the_larger_of_commitment_and_usage(
    rate: Decimal, committed: int, in_advance: bool, counts: list[int], currency: str
) -> None:
    unit = Decimal(1).scaleb(-EXPONENTS[currency])
    commitment = {
        "amount": f"{committed * unit:f}",
        "periods": len(counts),
        "paid": "advance" if in_advance else "arrears",
    }
    price = {"currency": currency, "rate": text(rate)}
    periods = [(AT, [Usage(Decimal(count) / 4)]) for count in counts]
    usage = sum(one.amount_minor for one in quote_term(read_price(price), periods))
    answers = quote_term(read_price({**price, "commitment": commitment}), periods)
    billed = sum(answer.amount_minor for answer in answers) + (committed if in_advance else 0)
    assert billed == max(usage, committed)
    for answer in answers:
        stand = answer.drawdown
        assert stand is not None
        assert stand.drawn_minor + stand.remaining_minor == committed
        assert answer.amount >= 0
    assert all(answer.drawdown is None or not answer.drawdown.true_up_minor for answer in answers[:-1])


@reproducible
@given(st.lists(st.tuples(st.sampled_from(["eu", "us", "moon", None]), quarters), max_size=12), rates, rates, rates)
def test_each_usage_falls_to_one_rate(usages: Any, eu: Decimal, us: Decimal, rest: Decimal) -> None:
    price = read_price(
        {
            "currency": "USD",
            "dimensions": ["region"],
            "rates": [
                {"flat": text(rest)},
                {"match": {"dimension": "region", "value": "eu"}, "flat": text(eu)},
                {"match": {"dimension": "region", "value": "us"}, "flat": text(us)},
            ],
        }
    )
    rate_of = {"eu": eu, "us": us}
    asked = [Usage(Decimal(count) / 4, {"region": region} if region else {}) for region, count in usages]
    exact = sum((Fraction(rate_of.get(region, rest)) * count * QUARTER for region, count in usages), Fraction(0))
    assert Fraction(quote(price, asked, at=AT).amount) == exact


@pytest.mark.parametrize(("amount", "minor"), [("0.005", 1), ("0.0049999999", 0), ("0.015", 2), ("1.234999", 123)])
def test_a_half_goes_up(amount: str, minor: int) -> None:
    assert ask({"currency": "USD", "rate": amount}, 4).amount_minor == minor
