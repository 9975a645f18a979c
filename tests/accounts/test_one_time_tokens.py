"""A form's token is spent once, by the person it was made for, for that purpose, within an hour."""

import pytest
from django.core import signing
from django.db import transaction

from accounts.errors import FormTokenUsed
from accounts.models import UsedFormToken
from accounts.one_time_tokens import MAXIMUM_AGE_SECONDS, issue, spend
from tests.cast import NOON, Cast
from tests.concurrency.racing import failures, race, successes


def test_a_token_is_spent_once(cast: Cast) -> None:
    token = issue(cast.dana, "adjust")
    spend(token, cast.dana, "adjust", at=NOON)
    with pytest.raises(FormTokenUsed) as refused:
        spend(token, cast.dana, "adjust", at=NOON)
    assert (refused.value.code, refused.value.status) == ("form_token_used", 409)
    assert UsedFormToken.objects.count() == 1


def test_two_tokens_of_one_form_are_two_tokens(cast: Cast) -> None:
    for _ in range(2):
        spend(issue(cast.dana, "adjust"), cast.dana, "adjust", at=NOON)
    assert UsedFormToken.objects.count() == 2


def test_a_token_of_another_person_or_purpose_is_refused_and_not_spent(cast: Cast) -> None:
    token = issue(cast.dana, "adjust")
    for user, purpose in ((cast.erin, "adjust"), (cast.dana, "correct")):
        with pytest.raises(FormTokenUsed):
            spend(token, user, purpose, at=NOON)
    spend(token, cast.dana, "adjust", at=NOON)


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c", "é", "x" * 5000])
def test_nonsense_is_refused(cast: Cast, token: str) -> None:
    with pytest.raises(FormTokenUsed):
        spend(token, cast.dana, "adjust", at=NOON)


@pytest.mark.parametrize("content", [["a", 1], "word", 7, None, ["a", 1, "adjust", "more"]])
def test_a_signed_text_of_another_shape_is_refused(cast: Cast, content: object) -> None:
    with pytest.raises(FormTokenUsed):
        spend(signing.dumps(content, salt="one-time-form"), cast.dana, "adjust", at=NOON)


def test_a_token_signed_for_something_else_is_refused(cast: Cast) -> None:
    foreign = signing.dumps(["nonce", cast.dana.pk, "adjust"], salt="password-reset")
    with pytest.raises(FormTokenUsed):
        spend(foreign, cast.dana, "adjust", at=NOON)


def test_a_changed_token_is_refused(cast: Cast) -> None:
    token = issue(cast.dana, "adjust")
    for place in (0, len(token) // 2, len(token) - 2):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(FormTokenUsed):
            spend(token[:place] + other + token[place + 1 :], cast.dana, "adjust", at=NOON)


def test_a_token_is_stale_after_an_hour(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_at = signing.time.time()  # type: ignore[attr-defined]
    token = issue(cast.dana, "adjust")
    monkeypatch.setattr("django.core.signing.time.time", lambda: signed_at + MAXIMUM_AGE_SECONDS + 2)
    with pytest.raises(FormTokenUsed):
        spend(token, cast.dana, "adjust", at=NOON)
    monkeypatch.setattr("django.core.signing.time.time", lambda: signed_at + MAXIMUM_AGE_SECONDS - 2)
    spend(token, cast.dana, "adjust", at=NOON)


def test_an_act_that_fails_gives_its_token_back(cast: Cast) -> None:
    token = issue(cast.dana, "adjust")
    with transaction.atomic():
        spend(token, cast.dana, "adjust", at=NOON)
        transaction.set_rollback(True)
    spend(token, cast.dana, "adjust", at=NOON)


def test_of_many_clicks_at_once_one_counts(committed_db: str, cast: Cast) -> None:
    token = issue(cast.dana, "adjust")

    def click() -> bool:
        with transaction.atomic():
            spend(token, cast.dana, "adjust", at=NOON)
        return True

    results = race(*[click] * 6)
    assert len(successes(results)) == 1
    assert {type(error) for error in failures(results)} == {FormTokenUsed}
