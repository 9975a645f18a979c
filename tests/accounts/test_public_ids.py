"""Public ids name one row of one kind, sort as the keys do, and nothing else is taken for one."""

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from accounts.public_ids import PublicId, decode, encode
from tests.cast import Cast

keys = st.integers(1, 2**63 - 1)


@given(keys)
def test_an_id_leads_back_to_its_key(key: int) -> None:
    assert decode("ba", encode("ba", key)) == key


@given(keys, keys)
def test_ids_sort_as_keys_do(first: int, second: int) -> None:
    assert (encode("ba", first) < encode("ba", second)) == (first < second)


@given(keys)
def test_an_id_of_another_kind_is_none(key: int) -> None:
    assert decode("org", encode("ba", key)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ba",
        "ba_",
        "ba_7",
        "ba_0000000000000",
        "ba_00000000000007",
        "ba_000000000000U",
        "ba_000000000000u",
        "ba_000000000000l",
        "BA_0000000000007",
        "ba-0000000000007",
        "ba_zzzzzzzzzzzzz",
        "ba_00000000000０7",
        "ba_'; DROP TABLE",
    ],
)
def test_what_is_no_id_is_none(text: str) -> None:
    assert decode("ba", text) is None


@given(st.text(max_size=20))
def test_whatever_is_taken_for_an_id_is_written_that_way(text: str) -> None:
    key = decode("ba", f"ba_{text}")
    assert key is None or encode("ba", key) == f"ba_{text}"


def test_each_kind_has_a_prefix_of_its_own(cast: Cast) -> None:
    named = [model for model in apps.get_models() if issubclass(model, PublicId)]
    prefixes = [model.PUBLIC_PREFIX for model in named]
    assert len(prefixes) >= 10
    assert len(set(prefixes)) == len(prefixes)
    assert cast.prepaid.public_id == encode("ba", cast.prepaid.pk)
