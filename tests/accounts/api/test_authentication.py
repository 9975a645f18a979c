"""Who calls: keys, tokens and sessions, and every way in which they are wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import api_keys, caller_of, clock, memberships
from accounts.abilities import EVERY, OF_ROLES, OF_STAFF, READ_BILLING, REPORT_USAGE
from accounts.api import auth_failures
from accounts.models import ApiKey, Membership, OrganizationRole
from tests.cast import ACTOR, Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("patient")]


@pytest.fixture
def patient(settings: Any) -> None:
    settings.API_FAILURES_PER_MINUTE = 10**6


def me(client: Client, bearer: str | None = None, **headers: str) -> Any:
    sent = {"HTTP_AUTHORIZATION": f"Bearer {bearer}"} if bearer is not None else {}
    return client.get("/api/v1/me", **sent, **headers)  # type: ignore[arg-type]


def key_of(cast: Cast, *scopes: str, organization: bool = True, **more: Any) -> api_keys.NewKey:
    owner = cast.acme.pk if organization else None
    return api_keys.create(owner, "console", scopes, actor=ACTOR, at=more.pop("at", clock.now()), **more)


# --- nobody


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer ", "bearer x", "Basic YWxpY2U6eA==", "Bearer  x", "Bearer x y", "Token x", "Bearer\tx"),
        *("Bearer x.y.z", "Bearer schlüssel", "Bearer \x00", "Bearer " + "x" * 20_000, "Bearer ch_", "Bearer ch_test_"),
        *("Bearer ch_test_0000000000001", "Bearer ch_test_0000000000001_", "Bearer ch_live_0000000000001_aa"),
        "Bearer ch_test_zzzzzzzzzzzzz_aa",
    ],
)
def test_what_is_no_token_is_refused(client: Client, cast: Cast, header: str) -> None:
    client.force_login(cast.alice)  # a session does not make up for a token that is wrong
    answer = client.get("/api/v1/me", HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="countinghouse"')


def test_without_a_token_one_is_asked_for(client: Client, db: None) -> None:
    answer = me(client)
    assert answer.json()["code"] == "token_required"
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="countinghouse"')


def test_refusals_are_counted_by_reason(client: Client, db: None) -> None:
    before = _counted("token_required"), _counted("token_invalid")
    me(client), me(client, "nothing"), me(client, "nothing")
    assert (_counted("token_required"), _counted("token_invalid")) == (before[0] + 1, before[1] + 2)


def _counted(reason: str) -> float:
    return (
        auth_failures.REGISTRY.get_sample_value("countinghouse_authentication_failures_total", {"reason": reason}) or 0
    )


# --- keys


def test_a_key_has_its_scopes_at_its_organization(client: Client, cast: Cast) -> None:
    new = key_of(cast, READ_BILLING)
    found = me(client, new.text).json()
    seat = {"organization": cast.acme.public_id, "role": "", "abilities": [READ_BILLING], "projects": None}
    assert found == {"user": None, "seats": [seat], "everywhere": []}
    caller = caller_of.of_key(new.key)
    assert (caller.actor.label, caller.bucket) == (f"api_key:{new.key.public_id}", f"key:{new.key.pk}")


def test_a_key_of_the_platform_has_its_scopes_everywhere(client: Client, cast: Cast) -> None:
    found = me(client, key_of(cast, REPORT_USAGE, READ_BILLING, organization=False).text).json()
    assert (found["seats"], found["everywhere"]) == ([], [READ_BILLING, REPORT_USAGE])


def test_a_revoked_key_is_refused_at_once(client: Client, cast: Cast) -> None:
    new = key_of(cast, READ_BILLING)
    assert me(client, new.text).status_code == 200
    api_keys.revoke(new.key.pk, actor=ACTOR, at=clock.now())
    assert _refusal(me(client, new.text)) == (401, "key_revoked")


def test_an_expired_key_is_refused(client: Client, cast: Cast) -> None:
    new = key_of(cast, READ_BILLING, expires_in_days=1, at=clock.now() - timedelta(days=1))
    assert _refusal(me(client, new.text)) == (401, "token_expired")


def test_who_does_not_know_the_secret_learns_nothing(client: Client, cast: Cast) -> None:
    new = key_of(cast, READ_BILLING)
    api_keys.revoke(new.key.pk, actor=ACTOR, at=clock.now())
    guessed = f"{new.text[:-1]}{'0' if new.text[-1] != '0' else '1'}"
    assert _refusal(me(client, guessed)) == (401, "token_invalid")


def test_use_is_noted_at_most_once_a_minute(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    began = clock.now()
    new = key_of(cast, READ_BILLING)
    for seconds in (10, 30, 69, 75):
        monkeypatch.setattr(clock, "now", lambda moment=began + timedelta(seconds=seconds): moment)
        assert me(client, new.text).status_code == 200
    assert ApiKey.objects.get(pk=new.key.pk).last_used_at == began + timedelta(seconds=75)


def test_a_key_costs_two_questions_and_then_one(client: Client, cast: Cast) -> None:
    text = key_of(cast, READ_BILLING).text
    assert [_questions(client, text) for _ in range(2)] == [2, 1]


def _questions(client: Client, bearer: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert me(client, bearer).status_code == 200
    return len(asked)


# --- sessions


@pytest.mark.parametrize("role", OrganizationRole.values)
def test_a_member_has_the_abilities_of_their_role(client: Client, cast: Cast, role: str) -> None:
    Membership.objects.filter(user=cast.bob).update(role=role)
    client.force_login(cast.bob)
    (seat,) = me(client).json()["seats"]
    assert (seat["role"], seat["abilities"]) == (role, sorted(OF_ROLES[role]))


def test_a_project_user_reaches_the_projects_they_were_let_into(client: Client, cast: Cast) -> None:
    client.force_login(cast.bob)
    membership = Membership.objects.get(user=cast.bob)

    def reached() -> Any:
        return me(client).json()["seats"][0]["projects"]

    assert reached() == []
    memberships.let_in(membership.pk, cast.project.pk, actor=ACTOR, at=clock.now())
    assert reached() == [cast.project.public_id]
    memberships.let_out(membership.pk, cast.project.pk, actor=ACTOR, at=clock.now())
    assert reached() == []


def test_who_was_withdrawn_has_no_seat(client: Client, cast: Cast) -> None:
    memberships.withdraw(Membership.objects.get(user=cast.bob).pk, actor=ACTOR, at=clock.now())
    client.force_login(cast.bob)
    assert me(client).json()["seats"] == []


def test_staff_hold_their_abilities_everywhere(client: Client, cast: Cast) -> None:
    client.force_login(cast.dana)
    found = me(client).json()
    assert found["everywhere"] == sorted(OF_STAFF["view"] | OF_STAFF["operate"]) == sorted(EVERY)
    client.force_login(cast.erin)
    assert me(client).json()["everywhere"] == sorted(OF_STAFF["view"])


def test_a_session_changes_things_only_from_our_own_pages(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    body = {"organization": cast.acme.public_id, "name": "Search", "slug": "search"}

    def post(**headers: str) -> Any:
        return client.post("/api/v1/projects", body, content_type="application/json", **headers)  # type: ignore[arg-type]

    assert _refusal(post()) == (403, "csrf_failed")
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    assert post(HTTP_X_CSRFTOKEN="a" * 32).status_code == 201


def test_who_may_not_sign_in_any_more_is_nobody(client: Client, cast: Cast) -> None:
    client.force_login(cast.alice)
    type(cast.alice).objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert me(client).status_code == 401


def _refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
