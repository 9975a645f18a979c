"""Whatever is logged, a secret in it is masked, and an event is one line."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import correlation
from billing_site.scrubbing import MASK, mask_text, scrub

SECRETS = [
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "ch_test_0000000000007_" + "5a" * 32,
    "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
    "rk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "Bearer dGhpcy1pcy1vcGFxdWU",
    "bearer abc.def-ghi_jkl",
    "Basic dXNlcjpoaWRkZW4=",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWhlcmU",
    "password=hidden-word",
    "'password': 'hidden word'",
    '{"card_token": "hidden word"}',
    '{\\"password\\": \\"hidden word\\"}',
    "Cookie: sessionid=hidden; csrftoken=word",
    "set-cookie: a=hidden; Path=/",
    "session-0a1b2c3d=hidden",
    "__Host-session=hidden",
    "postgresql://app:hidden@db.internal/books",
    "api_key: hidden-word",
    "4242424242424242",
    "4242 4242 4242 4242",
    "5555-5555-5555-4444",
    "378282246310005",
    "6011111111111117",
]
TELLTALES = (
    "4eC39",
    "MfKQ9",
    "dGhpcy",
    "abc.def",
    "dXNlcjp",
    "eyJzdWI",
    "hidden",
    "4242",
    "5555",
    "3782",
    "6011",
)

places = st.sampled_from(["note", "detail", "event", "payload", "path"])
junk = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)


def rendered(event: dict[str, Any]) -> str:
    return json.dumps(scrub(None, "info", event), ensure_ascii=False)


def is_clean(text: str) -> bool:
    return not any(telltale in text for telltale in TELLTALES)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_masked_alone_in_text_and_in_depth(secret: str) -> None:
    for event in (
        {"event": secret},
        {"event": f"before {secret}"},
        {"event": f"before {secret}\nafter"},
        {"event": "x", "note": [{"deep": (secret,)}]},
        {"event": "x", "note": secret.encode()},
        {"event": "x", "note": ValueError(secret)},
        {"event": "x", secret: "as a name"},
        {"event": "x", "exception": f"Traceback\n  File x\nValueError: {secret}"},
    ):
        assert is_clean(rendered(event)), event


@given(place=places, secret=st.sampled_from(SECRETS), before=junk, after=junk)
def test_a_secret_between_any_words_is_masked(place: str, secret: str, before: str, after: str) -> None:
    if is_clean(before) and is_clean(after):
        assert is_clean(rendered({place: f"{before} {secret} {after}"}))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "new_password1",
            "Authorization",
            "HTTP_COOKIE",
            "X-Api-Key",
            "clientSecret",
            "card_number",
        ),
        *("csrfmiddlewaretoken", "sessionid", "refreshToken", "stripe-signature", "cvc", "private_key"),
    ],
)
def test_a_value_is_masked_by_its_name(name: str) -> None:
    assert scrub(None, "info", {name: "anything"})[name] == MASK
    assert scrub(None, "info", {"form": {name: ["anything"]}})["form"][name] == MASK


@pytest.mark.parametrize(
    "name",
    ["business_key", "account_seq", "author", "tokenised_at_most", "passage", "secretary", "cookiecutter"],
)
def test_a_harmless_name_is_left_alone(name: str) -> None:
    assert scrub(None, "info", {name: "plain"})[name] == "plain"


@given(
    st.lists(st.integers(0, 9), min_size=11, max_size=17),
    st.sampled_from("23456"),
    st.sampled_from(["", " ", "-"]),
)
def test_every_number_that_could_be_a_card_is_masked(middle: list[int], first: str, separator: str) -> None:
    digits = [int(first), *middle]
    doubled = [d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))]
    digits.append(-sum(doubled) % 10)
    number = separator.join(map(str, digits))
    assert mask_text(f"card {number}.") == f"card {MASK}."
    assert scrub(None, "info", {"n": int("".join(map(str, digits)))})["n"] == MASK


@pytest.mark.parametrize("number", ["4242424242424241", "1234567890123", "424242424242", "42424242424242424242"])
def test_other_numbers_are_left_alone(number: str) -> None:
    assert mask_text(f"n {number}") == f"n {number}"


def test_money_is_left_alone_also_where_it_has_the_shape_of_a_card() -> None:
    assert scrub(None, "info", {"amount_minor": 4242424242424242})["amount_minor"] == 4242424242424242


def test_values_keep_what_they_say() -> None:
    event = {
        "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "rate": Decimal("1E-7"),
        "n": 3,
        "ok": True,
        "no": None,
    }
    assert scrub(None, "info", event) == {
        "at": "2026-01-02T03:04:05+00:00",
        "rate": "0.0000001",
        "n": 3,
        "ok": True,
        "no": None,
    }


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_every_event_is_one_line(event: dict[str, Any]) -> None:
    assert len((rendered(event) + "x").splitlines()) == 1


def test_a_loop_and_a_broken_object_cost_no_line() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    loop: list[Any] = []
    loop.append(loop)
    assert "[too deep]" in rendered({"loop": loop})
    assert rendered({"broken": Broken()}) == '{"broken": "<Broken>"}'


def test_long_texts_are_cut_and_a_traceback_keeps_its_end() -> None:
    event = scrub(None, "info", {"event": "x" * 100_000, "exception": "y\n" * 50_000 + "the end"})
    assert len(event["event"]) < 9_000
    assert len(event["exception"]) < 17_000
    assert event["exception"].endswith("the end")


@pytest.mark.parametrize("unsafe", ["", "a b", "a\n", "é", "x" * 65, "-a"])
def test_an_unsafe_correlation_id_cannot_be_bound(unsafe: str) -> None:
    with pytest.raises(ValueError, match="correlation id"), correlation.bind(unsafe):
        pass


def test_outside_any_door_one_correlation_id_is_kept() -> None:
    with correlation.bind() as outer:
        assert correlation.current_correlation_id() == correlation.current_correlation_id() == outer
        with correlation.bind("inner"):
            assert correlation.bound_correlation_id() == "inner"
        assert correlation.bound_correlation_id() == outer
