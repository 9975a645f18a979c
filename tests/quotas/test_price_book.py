"""Rates: exact decimals in force from a moment on, which never touch what is already billed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Conflict, CurrencyUnknown, DomainError, TimeInvalid
from accounts.models import AuditLog
from ledger import accrual
from ledger.balances import balance
from quotas.allocations import start
from quotas.decimals import parse_quantity, parse_rate
from quotas.errors import AlreadyBilled, QuantityInvalid, RateInvalid
from quotas.models import Sku, SkuRate
from quotas.price_book import open_sku, rate_in_force, set_rate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, refused_by

MINUTE = timedelta(minutes=1)
NOT_DECIMALS = [
    *("-1", "-0.01", "1e3", "1E3", "1_000", "1,5", ".5", "5.", " 5", "5 ", "+5", "", "five", "NaN", "Infinity"),
    *("１２", "٣", "1\n", "1" * 19, 0.5, 2.0, float("nan"), float("inf"), True, False, None, [1], b"1", -1),
    *(Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-1"), Decimal("1e400"), Decimal("1e-400")),
]


def price(cast: Cast, rate: object, *, currency: str = "USD", since: datetime = NOON) -> SkuRate:
    return set_rate(cast.gpu, currency=currency, rate_per_unit_hour=rate, effective_from=since, actor=ACTOR, at=NOON)


@pytest.mark.parametrize("value", NOT_DECIMALS, ids=repr)
def test_what_is_no_plain_decimal_is_neither_a_rate_nor_a_quantity(value: object) -> None:
    with pytest.raises(RateInvalid) as rate:
        parse_rate(value)
    with pytest.raises(QuantityInvalid) as quantity:
        parse_quantity(value)
    assert (rate.value.code, rate.value.field) == ("rate_invalid", "rate_per_unit_hour")
    assert (quantity.value.code, quantity.value.field) == ("quantity_invalid", "quantity")


@pytest.mark.parametrize("value", ["0", "0.0000000001", "9999999999.9999999999", "2.50", 3, Decimal("2.5")])
def test_a_rate_of_ten_decimals_is_kept_exactly(value: object) -> None:
    assert parse_rate(value) == Decimal(str(value))


@pytest.mark.parametrize("value", ["0.00000000001", "0.12345678901234567890", "10000000000", Decimal("0.00000000001")])
def test_a_rate_with_more_decimals_or_digits_than_are_kept_is_refused(value: object) -> None:
    with pytest.raises(RateInvalid):
        parse_rate(value)


def test_zeros_at_the_end_are_not_more_decimals() -> None:
    assert parse_rate("2.5" + "0" * 20) == Decimal("2.5")


@pytest.mark.parametrize("value", ["0.000001", "999999999999.999999", 1, "0.25"])
def test_a_quantity_of_six_decimals_is_kept_exactly(value: object) -> None:
    assert parse_quantity(value) == Decimal(str(value))


@pytest.mark.parametrize("value", ["0", 0, "0.0000001", "1.1234567", "1000000000000", 10**12])
def test_a_quantity_of_nothing_or_beyond_what_is_kept_is_refused(value: object) -> None:
    with pytest.raises(QuantityInvalid):
        parse_quantity(value)


@given(st.decimals(0, Decimal(10) ** 10 - 1, places=10))
def test_every_rate_in_range_reads_back_exactly(rate: Decimal) -> None:
    assert parse_rate(f"{rate:f}") == parse_rate(rate) == rate


def test_a_sku_code_is_taken_once(cast: Cast) -> None:
    with pytest.raises(Conflict) as refused:
        open_sku("gpu", "Another", "GPU", at=NOON)
    assert (refused.value.field, Sku.objects.count()) == ("code", 1)


def test_the_newest_rate_that_has_begun_is_in_force(cast: Cast) -> None:
    later = price(cast, "3", since=NOON + MINUTE)
    first = cast.gpu.rates.get(effective_from=BEGINNING)
    euro = price(cast, "2", currency="EUR")
    assert rate_in_force(cast.gpu.pk, "USD", BEGINNING - MINUTE) is None
    assert rate_in_force(cast.gpu.pk, "USD", NOON) == first
    assert rate_in_force(cast.gpu.pk, "USD", NOON + MINUTE) == later
    assert rate_in_force(cast.gpu.pk, "EUR", NOON) == euro
    assert rate_in_force(cast.gpu.pk, "JPY", NOON) is None


def test_a_new_rate_cuts_the_window_and_leaves_the_past_alone(cast: Cast) -> None:
    start(cast.project, cast.gpu, quantity="60", actor=ACTOR, at=NOON)
    accrual.drain(NOON + MINUTE)
    price(cast, "5", since=NOON + MINUTE * 1.5)
    accrual.drain(NOON + 2 * MINUTE)
    assert balance(cast.prepaid).amount_minor == -(250 + 125 + 250)
    assert AuditLog.objects.filter(action="sku.set_rate").latest("id").after["rate"] == "5.0000000000"


@pytest.mark.parametrize("minutes", [0, 1, 1.99])
def test_a_rate_that_begins_before_billed_usage_is_refused(cast: Cast, minutes: float) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 2 * MINUTE)
    with pytest.raises(AlreadyBilled) as refused:
        price(cast, "5", since=NOON + minutes * MINUTE)
    assert (refused.value.code, refused.value.field) == ("already_billed", "effective_from")
    assert cast.gpu.rates.count() == 1
    with refused_by("billed_usage_stands"):
        insert(cast, "5", NOON + minutes * MINUTE)


def test_a_rate_may_begin_where_billed_usage_ends_or_in_another_currency_or_sku(cast: Cast) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + 2 * MINUTE)
    price(cast, "5", since=NOON + 2 * MINUTE)
    price(cast, "5", since=NOON, currency="EUR")
    cpu = open_sku("cpu", "CPU", "vCPU", at=NOON)
    set_rate(cpu, currency="USD", rate_per_unit_hour="1", effective_from=BEGINNING, actor=ACTOR, at=NOON)


def test_one_moment_has_one_rate(cast: Cast) -> None:
    price(cast, "3")
    with pytest.raises(Conflict) as refused:
        price(cast, "4")
    assert (refused.value.code, refused.value.field) == ("rate_exists", "effective_from")
    assert cast.gpu.rates.count() == 2


@pytest.mark.parametrize(
    ("rate", "currency", "since", "error"),
    [
        ("0.12345678901234567890", "USD", NOON, RateInvalid),
        ("-1", "USD", NOON, RateInvalid),
        (2.5, "USD", NOON, RateInvalid),
        ("NaN", "USD", NOON, RateInvalid),
        ("1", "XXX", NOON, CurrencyUnknown),
        ("1", "usd", NOON, CurrencyUnknown),
        ("1", "USD", NOON.replace(tzinfo=None), TimeInvalid),
        ("1", "USD", datetime(9999, 12, 31, tzinfo=UTC), TimeInvalid),
    ],
    ids=repr,
)
def test_bad_input_is_refused_with_nothing_written(
    cast: Cast, rate: object, currency: str, since: datetime, error: type[DomainError]
) -> None:
    with pytest.raises(error):
        price(cast, rate, currency=currency, since=since)
    assert cast.gpu.rates.count() == 1


def insert(cast: Cast, rate: str, since: datetime, currency: str = "USD") -> None:
    execute(
        "INSERT INTO sku_rates (sku_id, currency, rate_per_unit_hour, effective_from, created_at)"
        " VALUES (%s, %s, %s::numeric, %s, now())",
        [cast.gpu.pk, currency, rate, since],
    )


@pytest.mark.parametrize(
    ("rate", "currency", "rule"),
    [
        ("NaN", "USD", "sku_rates_rate_is_a_number"),
        ("-0.0000000001", "USD", "sku_rates_rate_is_a_number"),
        ("Infinity", "USD", "22003"),
        ("10000000000", "USD", "22003"),
        ("1", "usd", "sku_rates_currency_shape"),
        ("1", "", "sku_rates_currency_shape"),
    ],
)
def test_the_database_refuses_a_rate_that_is_no_price(cast: Cast, rate: str, currency: str, rule: str) -> None:
    with refused_by(rule):
        insert(cast, rate, NOON, currency)


def test_a_rate_is_never_edited_or_withdrawn(cast: Cast) -> None:
    for statement in ("UPDATE sku_rates SET rate_per_unit_hour = 1", "DELETE FROM sku_rates"):
        with refused_by(NO_PRIVILEGE):
            execute(statement)
