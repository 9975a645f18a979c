"""Resource quantities: read as an independent reading in fractions reads them, written as Kubernetes keeps them."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotas.errors import QuantityInvalid
from quotas.resource_quantities import canonical, parse

reproducible = settings(derandomize=True, deadline=None, print_blob=True)
MEANING = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    **{letter: Fraction(10) ** (3 * place) for place, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Fraction(2) ** (10 * place) for place, letter in enumerate("KMGTPE", 1)},
}
LARGEST = 2**63 - 1
# Ten factors, the widest first, as the documentation lists them; a number is kept by the widest that divides it.
NARROWING = ["E", "P", "T", "G", "M", "k", "", "m", "u", "n"]

digits = st.text("0123456789", min_size=1, max_size=12)
numbers = st.one_of(
    digits,
    st.builds("{}.{}".format, digits, digits),
    st.builds("{}.".format, digits),
    st.builds(".{}".format, digits),
)
exponents = st.builds("{}{}".format, st.sampled_from("eE"), st.integers(-12, 20))


def reading(number: str, suffix: str) -> Fraction:
    """Digit by digit: what stands before the point, what stands after it, and what the suffix makes of it."""
    whole, _, places = number.partition(".")
    value = Fraction(int(whole or "0"))
    for place, digit in enumerate(places, 1):
        value += Fraction(int(digit), 10**place)
    factor = MEANING[suffix] if suffix in MEANING else Fraction(10) ** int(suffix[1:])
    return value * factor


@reproducible
@given(numbers, st.one_of(st.sampled_from(sorted(MEANING)), exponents))
def test_it_is_read_as_written_or_refused_for_a_reason(number: str, suffix: str) -> None:
    expected = reading(number, suffix)
    fits = expected <= LARGEST and (expected * 10**9).denominator == 1
    if fits:
        assert Fraction(parse(number + suffix)) == expected
    else:
        with pytest.raises(QuantityInvalid):
            parse(number + suffix)


nano = st.one_of(st.integers(0, LARGEST), st.integers(0, 10**6).map(lambda cores: cores * 10**6)).map(
    lambda amount: Decimal(amount).scaleb(-9)
)
pieces = st.one_of(
    st.integers(0, LARGEST),
    st.builds(lambda count, power: min(count * 1024**power, LARGEST), st.integers(0, 5000), st.integers(0, 5)),
).map(Decimal)


@reproducible
@given(nano)
def test_a_decimal_amount_survives_its_canonical_form(amount: Decimal) -> None:
    text = canonical(amount)
    assert parse(text) == amount
    assert canonical(parse(text)) == text
    number, suffix = text.rstrip("numkMGTPE"), text[len(text.rstrip("numkMGTPE")) :]
    assert number.isdigit()  # no fraction
    wider = NARROWING[: NARROWING.index(suffix)] if amount else []
    assert all((Fraction(amount) / MEANING[one]).denominator != 1 for one in wider)


@reproducible
@given(pieces)
def test_bytes_survive_their_canonical_form(amount: Decimal) -> None:
    text = canonical(amount, binary=True)
    assert parse(text) == amount
    assert canonical(parse(text), binary=True) == text
    number = text.rstrip("KMGTPEi")
    kept = text[len(number) :]
    assert number.isdigit()
    widening = ["", *(f"{letter}i" for letter in "KMGTPE")]
    wider = widening[widening.index(kept) + 1 :] if amount else []
    assert all(Fraction(amount) % MEANING[one] for one in wider)


@pytest.mark.parametrize(
    ("text", "value", "kept"),
    [
        # What the documentation of Kubernetes and quantity_test.go of apimachinery say.
        ("0", "0", "0"),
        ("0.5", "0.5", "500m"),
        ("100m", "0.1", "100m"),
        ("0.1", "0.1", "100m"),
        ("1.5", "1.5", "1500m"),
        ("1e3", "1000", "1k"),
        ("1E3", "1000", "1k"),
        ("1.1E-3", "0.0011", "1100u"),
        ("12e6", "12000000", "12M"),
        (".5", "0.5", "500m"),
        ("5.", "5", "5"),
        ("1E", "1000000000000000000", "1E"),
        ("100k", "100000", "100k"),
        ("1000m", "1", "1"),
        ("0001", "1", "1"),
        ("129e6", "129000000", "129M"),
        ("128974848", "128974848", "128974848"),
        ("128974848000m", "128974848", "128974848"),
    ],
)
def test_cores_as_the_documentation_has_them(text: str, value: str, kept: str) -> None:
    assert parse(text) == Decimal(value)
    assert canonical(parse(text)) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("123Mi", "123Mi"),
        ("128974848", "123Mi"),
        ("1024Ki", "1Mi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("28Gi", "28Gi"),
        ("28.375Gi", "29056Mi"),
        ("1000", "1000"),
        ("1023", "1023"),
        ("7Ei", "7Ei"),
    ],
)
def test_bytes_as_the_documentation_has_them(text: str, kept: str) -> None:
    assert canonical(parse(text), binary=True) == kept


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "-1",
            "+1",
            "1 ",
            " 1",
            "1Ki i",
            "1ki",
            "1K",
            "Ki",
            "m",
            ".",
            "e3",
            "1e",
            "1e1.5",
            "1e400",
            "1e-400",
        ),
        *("NaN", "Infinity", "0x10", "1_000", "1,000", "１", "١", "1n5", "1mm", "1Mi5", "0.1n", "8Ei", "9.3E", "1e19"),
        *("9" * 41, "1." + "0" * 41, None, True, 1.5, b"1", -1),
        *(Decimal("NaN"), Decimal("-1"), Decimal("1e400")),
    ],
)
def test_what_is_no_quantity_is_refused(text: object) -> None:
    with pytest.raises(QuantityInvalid):
        parse(text)


@reproducible
@given(st.integers(0, LARGEST))
def test_a_whole_number_may_come_as_one(value: int) -> None:
    assert parse(value) == value
