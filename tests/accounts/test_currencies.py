"""Amounts: whole minor units, strictly read, exactly written, in every currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.currencies import EXPONENTS, MAXIMUM_MINOR, exponent, format_minor, parse_minor, parse_positive_minor
from accounts.errors import AmountInvalid, CurrencyUnknown

amounts = st.integers(-MAXIMUM_MINOR, MAXIMUM_MINOR)
currencies = st.sampled_from(sorted(EXPONENTS))

# Fault 23 of the fault matrix, and its neighbours.
NOT_AMOUNTS = [
    *(0, "0", "-0", "00", 1.5, -1.5, 1.0, "1.5", "1e3", "1_000", "1,000", "12 ", " 12", "+12", "--12", "-", ""),
    *("１２", "٣", "²", "0x10", "1\x00", "NaN", "Infinity", "-Infinity"),
    *(2**63, -(2**63), "9223372036854775808", 10**29, "1" * 30, MAXIMUM_MINOR + 1, -MAXIMUM_MINOR - 1),
    *(float("nan"), float("inf"), Decimal(5), Decimal("NaN"), None, True, False, b"12", [12], {"amount": 12}),
]


@pytest.mark.parametrize("value", NOT_AMOUNTS, ids=repr)
def test_what_is_not_a_whole_amount_in_range_is_refused(value: object) -> None:
    for parse in (parse_minor, parse_positive_minor):
        with pytest.raises(AmountInvalid) as refused:
            parse(value)
        assert (refused.value.code, refused.value.field, refused.value.status) == (
            "amount_invalid",
            "amount_minor",
            422,
        )


def test_the_field_at_fault_is_named() -> None:
    with pytest.raises(AmountInvalid) as refused:
        parse_minor(0, field="credit")
    assert refused.value.field == "credit"


@pytest.mark.parametrize("value", [-1, "-1", -MAXIMUM_MINOR])
def test_a_negative_amount_is_an_amount_but_not_a_positive_one(value: object) -> None:
    assert parse_minor(value) < 0
    with pytest.raises(AmountInvalid):
        parse_positive_minor(value)


@given(amounts.filter(bool))
def test_an_amount_reads_the_same_as_a_number_and_as_digits(amount_minor: int) -> None:
    assert parse_minor(amount_minor) == parse_minor(str(amount_minor)) == amount_minor


@given(st.text(max_size=25))
def test_no_text_is_read_as_another_amount(text: str) -> None:
    try:
        amount_minor = parse_minor(text)
    except AmountInvalid:
        return
    assert text.isascii()
    assert text.removeprefix("-").lstrip("0") == str(abs(amount_minor))


@given(amounts, currencies)
def test_what_is_written_reads_back_exactly(amount_minor: int, currency: str) -> None:
    number, code = format_minor(amount_minor, currency).split(" ")
    assert code == currency
    plain = number.replace(",", "").replace("−", "-")
    assert Decimal(plain).scaleb(exponent(currency)) == amount_minor
    decimals = plain.partition(".")[2]
    assert len(decimals) == exponent(currency)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "written"),
    [
        (123450, "USD", "1,234.50 USD"),
        (-5, "USD", "−0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (1234567, "JPY", "1,234,567 JPY"),
        (1234567, "KWD", "1,234.567 KWD"),
        (12345678, "CLF", "1,234.5678 CLF"),
        (10**15, "USD", "10,000,000,000,000.00 USD"),
    ],
)
def test_amounts_are_written_as_people_read_them(amount_minor: int, currency: str, written: str) -> None:
    assert format_minor(amount_minor, currency) == written


@pytest.mark.parametrize("currency", ["usd", "XAU", "XXX", "", "US", "USDD", None, 840, ["USD"], "ＵＳＤ"])
def test_an_unknown_currency_is_refused(currency: object) -> None:
    with pytest.raises(CurrencyUnknown) as refused:
        exponent(currency)  # type: ignore[arg-type]
    assert refused.value.code == "currency_unknown"


def test_the_table_of_currencies_is_whole() -> None:
    assert len(EXPONENTS) == sum(len(group) for group in (_of(0), _of(2), _of(3), _of(4)))
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
    assert _of(0) >= {"JPY", "KRW", "CLP", "VND", "ISK"}
    assert _of(3) == {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
    assert _of(2) >= {"USD", "EUR", "GBP", "CHF", "HUF", "MRU", "MGA"}


def _of(places: int) -> set[str]:
    return {code for code, exponent_ in EXPONENTS.items() if exponent_ == places}
