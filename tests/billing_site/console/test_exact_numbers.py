"""Numbers of the console: exact, in the seed's units, never by way of a float."""

from decimal import Decimal

import pytest

from billing_site.console import exact_json, quantities
from billing_site.console.quantities import Pair, closest, major, read, shown
from quotas.resource_quantities import parse


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("12.5"), "12.5"),
        (Decimal("160.000000000"), "160"),
        (Decimal("0.000"), "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1") + Decimal("0.2"), "0.3"),
        (Decimal(2**63 - 1), "9223372036854775807"),
        ({"a": [None, True, 1, "é\n"]}, '{"a":[null,true,1,"\\u00e9\\n"]}'),
    ],
)
def test_a_number_is_written_digit_by_digit(value: object, text: str) -> None:
    assert exact_json.write(value) == text


def test_a_float_is_never_written() -> None:
    with pytest.raises(TypeError):
        exact_json.write({"used": 4.2})


@pytest.mark.parametrize(
    ("dimension", "quantity", "number"),
    [
        ("requests.cpu", "4200m", "4.2"),
        ("requests.memory", "12800Mi", "12.5"),
        ("requests.memory", "29056Mi", "28.375"),
        ("requests.storage", "45Gi", "45"),
        ("requests.storage", "1", "0.000000000931322574615478515625"),
        ("pods", "23", "23"),
        ("object_storage", "100", "100"),
    ],
)
def test_quantities_stand_in_the_seed_s_units(dimension: str, quantity: str, number: str) -> None:
    assert exact_json.write(shown(dimension, parse(quantity))) == number


def test_what_the_console_writes_is_read_back_as_it_was() -> None:
    for gi in (Decimal("28.375"), Decimal(180), Decimal("0.5"), 7):
        assert shown("requests.memory", parse(read("memory", gi))) == gi
    assert read("memory", "8Gi") == "8Gi"
    assert read("cpu", Decimal("0.5")) == Decimal("0.5")
    assert read("memory", True) is True


def test_the_pair_that_is_nearer_to_its_bound_is_shown() -> None:
    limits = {"requests.cpu": Decimal(4), "limits.cpu": Decimal(8)}
    used: dict[str, Decimal | None] = {"requests.cpu": Decimal(3), "limits.cpu": Decimal(5)}
    assert closest("requests.cpu", used, limits) == Pair(Decimal(3), Decimal(4))
    assert closest("requests.cpu", {**used, "limits.cpu": Decimal(7)}, limits) == Pair(Decimal(7), Decimal(8))
    assert closest("requests.cpu", {"limits.cpu": Decimal(1)}, limits) == Pair(Decimal(1), Decimal(8))
    assert closest("requests.cpu", {}, limits) == Pair(None, Decimal(4))
    assert closest("requests.cpu", used, {}) == Pair(Decimal(3), None)
    nothing = {"requests.cpu": Decimal(0), "limits.cpu": Decimal(8)}
    assert closest("requests.cpu", used, nothing) == Pair(Decimal(3), Decimal(0))


def test_prices_are_written_in_major_units() -> None:
    assert [exact_json.write(major(minor, code)) for minor, code in ((15800, "EUR"), (1950, "EUR"), (99, "JPY"))] == [
        "158",
        "19.5",
        "99",
    ]
    assert quantities.WORDS["external_ips"] == "publicIPv4"
