"""Signing in by an issuer: whose word counts, for whom, and what a hostile token or answer leads to: nothing."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.models import AuditLog, ExternalIdentity, TrustedIssuer, User
from billing_site.environment import EnvironmentFault
from billing_site.sign_in import issuers
from tests.cast import NOON, Cast
from tests.ledger.raw_sql import execute, fetch
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, Claims, Issuer, issuing, new_key
from tests.signing_in import code, secret_of

BEGIN = "/sign-in/oidc/example/"
PAT = {"sub": "s-1", "email": "pat@acme.example", "email_verified": True, "name": "Pat"}


def use(settings: Settings, issuer: Issuer, **more: Any) -> None:
    known = issuers.Issuer("example", "Example", issuer.url, CLIENT_ID, CLIENT_SECRET, **more)
    settings.SOCIALACCOUNT_PROVIDERS = issuers.providers([known])


@pytest.fixture
def issuer(settings: Settings, cast: Cast) -> Iterator[Issuer]:
    with issuing() as found:
        found.person = dict(PAT)
        use(settings, found)
        yield found


def sign_in(client: Client, *, onward: str = "") -> HttpResponse:
    """To the issuer and back, as a browser goes."""
    left = client.get(BEGIN + onward)
    back = requests.get(left["Location"], allow_redirects=False, timeout=5).headers["Location"]
    return client.get(back)  # type: ignore[return-value]


def who(client: Client) -> str:
    user_id = client.session.get("_auth_user_id")
    return User.objects.get(pk=user_id).email if user_id else ""


def test_an_unknown_person_with_a_verified_address_is_opened_once(issuer: Issuer) -> None:
    one, two = Client(), Client()
    assert sign_in(one)["Location"] == "/"
    assert who(one) == "pat@acme.example"
    issuer.person["email"] = "pat.renamed@acme.example"
    sign_in(two)
    assert who(two) == "pat@acme.example"
    pat = User.objects.get(email="pat@acme.example")
    assert (pat.display_name, pat.is_staff, pat.has_usable_password()) == ("Pat", False, False)
    assert AuditLog.objects.get(action="identity.open").actor == pat


def test_a_subject_of_tokens_is_the_same_person_here(issuer: Issuer, cast: Cast) -> None:
    known = {"jwks_uri": f"{issuer.url}/jwks", "audience": "a", "algorithms": ["RS256"], "created_at": NOON}
    row = TrustedIssuer.objects.create(issuer=issuer.url, trusted=True, **known)
    ExternalIdentity.objects.create(issuer=row, subject="s-1", user=cast.bob, created_at=NOON)
    client = Client()
    sign_in(client)
    assert who(client) == "bob@acme.example"
    issuer.person = {"sub": "s-5", "email": "new@acme.example", "email_verified": True}
    sign_in(Client())
    assert ExternalIdentity.objects.get(subject="s-5").user.email == "new@acme.example"


def test_code_flow_with_pkce_and_a_secret_that_no_row_holds(issuer: Issuer, client: Client) -> None:
    sign_in(client)
    asked = issuer.asked[0]
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len(asked["code_challenge"]) == 43
    assert "openid" in asked["scope"].split()
    assert not SocialToken.objects.exists()
    assert fetch("SELECT FROM socialaccount_socialapp") == []
    with pytest.raises(DatabaseError):
        execute("INSERT INTO socialaccount_socialapp (provider, name, client_id, secret, key, settings) "
                "VALUES ('a', 'a', 'a', 'a', 'a', '{}')")  # fmt: skip


def test_somebody_staff_opened_is_met_by_a_verified_address_then_by_subject(issuer: Issuer, cast: Cast) -> None:
    issuer.person |= {"email": "ALICE@acme.example"}
    client = Client()
    sign_in(client)
    assert who(client) == "alice@acme.example"
    cast.alice.refresh_from_db()
    assert cast.alice.has_usable_password()
    assert SocialAccount.objects.get().uid == f"{issuer.url} s-1"
    assert AuditLog.objects.get(action="identity.link").actor == cast.alice
    issuer.person = {"sub": "s-1"}
    again = Client()
    sign_in(again)
    assert who(again) == "alice@acme.example"


@pytest.mark.parametrize("verified", [False, None, "false", 0, "yes"])
def test_an_unverified_address_takes_nobody_over_and_opens_nobody(issuer: Issuer, verified: object) -> None:
    for email in ("alice@acme.example", "new@acme.example"):
        issuer.person = {"sub": "s-9", "email": email, "email_verified": verified}
        client = Client()
        assert sign_in(client).status_code == 403
        assert who(client) == ""
    assert not User.objects.filter(email="new@acme.example").exists()
    assert not SocialAccount.objects.exists()


def test_an_address_handed_to_somebody_else_does_not_open_the_first_ones_account(issuer: Issuer) -> None:
    sign_in(Client())
    issuer.person["sub"] = "s-2"
    client = Client()
    assert sign_in(client).status_code == 403
    assert who(client) == ""


def test_an_issuer_speaks_for_its_domains_only(issuer: Issuer, settings: Settings) -> None:
    use(settings, issuer, email_domains=("else.example",))
    issuer.person |= {"email": "dana@countinghouse.example"}
    client = Client()
    assert sign_in(client).status_code == 403
    assert who(client) == ""


def test_an_issuer_may_be_kept_from_opening_people(issuer: Issuer, settings: Settings) -> None:
    use(settings, issuer, sign_up=False)
    assert "invitation" in sign_in(Client()).content.decode()
    assert not User.objects.filter(email="pat@acme.example").exists()


def test_staff_prove_their_second_factor_after_the_issuer_too(issuer: Issuer, client: Client) -> None:
    issuer.person |= {"email": "dana@countinghouse.example"}
    assert sign_in(client, onward="?next=/admin/")["Location"] == reverse("mfa_authenticate")
    assert client.get("/admin/").status_code == 302
    done = client.post(reverse("mfa_authenticate"), {"code": code(secret_of("dana@countinghouse.example"))})
    assert done["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def unsigned(claims: Claims, issuer: Issuer) -> str:
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"})


def confused(claims: Claims, issuer: Issuer) -> str:
    """HS256 with the public key for its secret, made by hand: libraries refuse to."""
    public = issuer.keys()["keys"][0]["n"]
    return jwt.encode(claims, public, algorithm="HS256", headers={"kid": "k1"})


def foreign(claims: Claims, issuer: Issuer) -> str:
    return jwt.encode(claims, new_key(), algorithm="RS256", headers={"kid": "k1"})


def unknown_kid(claims: Claims, issuer: Issuer) -> str:
    return jwt.encode(claims, issuer.key, algorithm="RS256", headers={"kid": "../../etc/passwd"})


def no_kid(claims: Claims, issuer: Issuer) -> str:
    return jwt.encode(claims, issuer.key, algorithm="RS256")


def own_key(claims: Claims, issuer: Issuer) -> str:
    """A key that the token brings itself."""
    mine = new_key()
    brought = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(mine.public_key()))
    return jwt.encode(claims, mine, algorithm="RS256", headers={"jwk": brought, "jku": issuer.url, "kid": "other"})


def garbage(claims: Claims, issuer: Issuer) -> str:
    return "not.a." + base64.urlsafe_b64encode(b"token").decode()


@pytest.mark.parametrize("sign", [unsigned, confused, foreign, unknown_kid, no_kid, own_key, garbage])
def test_a_token_signed_by_anything_else_is_nobodys(issuer: Issuer, client: Client, sign: Any) -> None:
    issuer.sign = sign
    assert sign_in(client).status_code == 401
    assert who(client) == ""
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"aud": None},
        {"iss": "https://else.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "s" * 300},
    ],
    ids=str,
)
def test_a_token_of_somebody_else_or_another_time_is_nobodys(issuer: Issuer, client: Client, change: Claims) -> None:
    issuer.claims = lambda claims: {**claims, **change}
    assert sign_in(client).status_code == 401
    assert who(client) == ""


def test_userinfo_of_another_subject_is_not_believed(issuer: Issuer, client: Client) -> None:
    issuer.claims = lambda claims: {name: value for name, value in claims.items() if "email" not in name}
    issuer.userinfo = {"sub": "s-2", "email": "alice@acme.example", "email_verified": True}
    assert sign_in(client).status_code == 401
    issuer.userinfo = dict(PAT)
    sign_in(client)
    assert who(client) == "pat@acme.example"


def test_a_code_is_taken_only_from_the_browser_that_asked(issuer: Issuer, client: Client) -> None:
    left = client.get(BEGIN)["Location"]
    back = requests.get(left, allow_redirects=False, timeout=5).headers["Location"]
    stranger = Client()
    assert stranger.get(back).status_code == 401
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 401  # a state works once
    assert who(stranger) == ""


@pytest.mark.parametrize("query", ["", "?error=server_error", "?code=a", "?code=a&state=b", "?state=%00&code=%00"])
def test_an_answer_nobody_waited_for_is_refused(issuer: Issuer, client: Client, query: str) -> None:
    assert client.get(f"{BEGIN}callback/{query}").status_code in (302, 401)
    assert who(client) == ""


def test_who_thinks_better_of_it_comes_back_to_the_log_in(issuer: Issuer, client: Client) -> None:
    state = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)["state"][0]
    answer = client.get(f"{BEGIN}callback/?error=access_denied&state={state}")
    assert answer["Location"] == reverse("account_login")


def test_another_site_cannot_begin_it_nor_join_an_issuer_to_a_session(issuer: Issuer, cast: Cast) -> None:
    client = Client()
    assert client.get(BEGIN, headers={"sec-fetch-site": "cross-site"})["Location"] == reverse("account_login")
    client.force_login(cast.alice)
    sign_in(client, onward="?process=connect")
    assert not SocialAccount.objects.filter(user=cast.alice).exists()
    assert who(client) == "pat@acme.example"


def test_an_issuer_that_is_away_or_unknown_is_said_so(issuer: Issuer, client: Client, settings: Settings) -> None:
    assert client.get("/sign-in/oidc/unknown/").status_code == 404
    assert client.get("/sign-in/oidc/unknown/callback/").status_code == 404
    issuer.url = "http://127.0.0.1:1"
    use(settings, issuer)
    assert client.get(BEGIN).status_code == 401


@pytest.mark.parametrize(
    "variables",
    [
        {"OIDC_ISSUER": "http://issuer.example", "OIDC_CLIENT_ID": "a"},
        {"OIDC_ISSUER": "https://issuer.example"},
        {"OIDC_PROVIDERS": "{"},
        {"OIDC_PROVIDERS": "{}"},
        {"OIDC_PROVIDERS": '[{"issuer": "https://a.example"}]'},
        {"OIDC_PROVIDERS": '[{"id": "A b", "issuer": "https://a.example", "client_id": "a"}]'},
        {"OIDC_PROVIDERS": '[{"id": "a", "issuer": "https://a.example", "client_id": "a", "secret": "s"}]'},
        {"OIDC_PROVIDERS": json.dumps([{"id": "a", "issuer": "https://a.example", "client_id": "a"}] * 2)},
    ],
    ids=str,
)
def test_an_issuer_that_is_badly_written_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(EnvironmentFault, match="OIDC_"):
        issuers.configured()


def test_several_issuers_are_read_from_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        {"id": name, "issuer": f"https://{name}.example/", "client_id": name, "client_secret": "s", "sign_up": False}
        for name in ("one", "two")
    ]
    monkeypatch.setenv("OIDC_PROVIDERS", json.dumps(listed))
    assert [(found.id, found.issuer, found.sign_up) for found in issuers.configured()] == [
        ("one", "https://one.example", False),
        ("two", "https://two.example", False),
    ]
