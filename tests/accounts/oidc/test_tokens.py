"""Tokens: what is accepted, and every token that must not be (reliability: none, confused, foreign, tricked, late)."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import TrustedIssuer
from accounts.oidc import keys
from tests.oidc_issuer import AUDIENCE, Issuer, jwk, public_pem, raw, rsa_key, running
from tests.row_counts import row_counts

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def served() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def issuer(served: Issuer, db: None, settings: Any) -> Issuer:
    settings.API_FAILURES_PER_MINUTE = 10**6
    keys.forget()
    served.served, served.status = {"keys": [jwk(rsa_key("one"), "one", alg="RS256")]}, 200
    served.open()
    return served


def ask(client: Client, token: str) -> Any:
    return client.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {token}")


def test_a_token_of_a_trusted_issuer_is_accepted(client: Client, issuer: Issuer) -> None:
    answer = ask(client, issuer.token("ann", "nova", "org-admin"))
    assert answer.status_code == 200
    assert [seat["role"] for seat in answer.json()["seats"]] == ["org-admin"]


def _flipped(token: str) -> str:
    head, body, signature = token.split(".")
    place = len(signature) // 2
    other = "A" if signature[place] != "A" else "B"
    return f"{head}.{body}.{signature[:place]}{other}{signature[place + 1 :]}"


Making = Callable[[Issuer, dict[str, Any]], str]
_NONE = {"alg": "none", "typ": "JWT", "kid": "one"}
_HMAC = {"alg": "HS256", "typ": "JWT", "kid": "one"}
FORGED: dict[str, Making] = {
    "no signature": lambda issuer, claims: raw(_NONE, claims),
    "None, in capitals": lambda issuer, claims: raw({**_NONE, "alg": "None"}, claims),
    "no algorithm": lambda issuer, claims: raw({"typ": "JWT", "kid": "one"}, claims),
    "an algorithm that is a list": lambda issuer, claims: raw({**_HMAC, "alg": ["RS256"]}, claims),
    "HMAC with the public key": lambda issuer, claims: raw(_HMAC, claims, public_pem()),
    "HMAC with the key set": lambda issuer, claims: raw(_HMAC, claims, json.dumps(issuer.served).encode()),
    "HMAC with nothing": lambda issuer, claims: raw(_HMAC, claims, b"\x00"),
    "another algorithm of the same key": lambda issuer, claims: issuer.sign(claims, algorithm="PS256"),
    "a longer hash": lambda issuer, claims: issuer.sign(claims, algorithm="RS512"),
    "a foreign key": lambda issuer, claims: issuer.sign(claims, key=rsa_key("two")),
    "a key id of nobody": lambda issuer, claims: issuer.sign(claims, kid="two"),
    "a key id that is a path": lambda issuer, claims: issuer.sign(claims, kid="../../etc/passwd"),
    "a key id that is SQL": lambda issuer, claims: issuer.sign(claims, kid="one' OR '1'='1"),
    "an empty key id": lambda issuer, claims: issuer.sign(claims, key=rsa_key("two"), kid=""),
    "no key id": lambda issuer, claims: issuer.sign(claims, kid=None),
    "a key id that is a number": lambda issuer, claims: raw({**_HMAC, "alg": "RS256", "kid": 1}, claims, b"x"),
    "keys elsewhere (jku)": lambda issuer, claims: issuer.sign(
        claims, key=rsa_key("two"), kid="two", jku=f"{issuer.address}/mine.json"
    ),
    "a certificate elsewhere (x5u)": lambda issuer, claims: issuer.sign(
        claims, key=rsa_key("two"), kid="two", x5u=f"{issuer.address}/mine.pem"
    ),
    "a key of its own (jwk)": lambda issuer, claims: issuer.sign(
        claims, key=rsa_key("two"), jwk=jwk(rsa_key("two"), "one")
    ),
    "something critical": lambda issuer, claims: issuer.sign(claims, crit=["b64"]),
    "the token of a log-out": lambda issuer, claims: issuer.sign(claims, typ="logout+jwt"),
    "a flipped bit": lambda issuer, claims: _flipped(issuer.sign(claims)),
    "two parts": lambda issuer, claims: issuer.sign(claims).rpartition(".")[0],
    "four parts": lambda issuer, claims: f"{issuer.sign(claims)}.x",
    "a foreign body": lambda issuer, claims: ".".join(
        issuer.sign(one).split(".")[part] for part, one in enumerate([claims, {**claims, "sub": "eve"}, claims])
    ),
    "too long": lambda issuer, claims: issuer.sign({**claims, "more": "x" * 8000}),
    "not ASCII": lambda issuer, claims: f"{issuer.sign(claims)}é",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused_and_leaves_nothing(client: Client, issuer: Issuer, name: str) -> None:
    token = FORGED[name](issuer, issuer.claims("ann", "nova", "org-admin"))
    _is_refused(client, token, "token_invalid")


def test_a_header_that_nests_without_end_is_refused(client: Client, issuer: Issuer) -> None:
    nest = base64.urlsafe_b64encode(b"[" * 3000).rstrip(b"=").decode()
    _is_refused(client, f"{nest}.{nest}.AA", "token_invalid")


LATE = int(time.time()) - 10_000
CLAIMED: dict[str, tuple[dict[str, Any], str]] = {
    "no exp": ({"exp": None}, "token_invalid"),
    "no aud": ({"aud": None}, "token_invalid"),
    "no iss": ({"iss": None}, "token_invalid"),
    "no sub": ({"sub": None}, "token_invalid"),
    "another aud": ({"aud": "another"}, "token_invalid"),
    "other auds": ({"aud": ["another", "third"]}, "token_invalid"),
    "an aud that is none": ({"aud": {"countinghouse": True}}, "token_invalid"),
    "an aud inside one": ({"aud": f"{AUDIENCE}-more"}, "token_invalid"),
    "another iss": ({"iss": "https://else.example"}, "token_invalid"),
    "an iss that is a list": ({"iss": ["https://else.example"]}, "token_invalid"),
    "an iss no text can be": ({"iss": "\x00\ud800"}, "token_invalid"),
    "a sub that is a number": ({"sub": 7}, "token_invalid"),
    "an empty sub": ({"sub": ""}, "token_invalid"),
    "a sub with a NUL": ({"sub": "ann\x00"}, "token_invalid"),
    "a sub without end": ({"sub": "a" * 256}, "token_invalid"),
    "expired": ({"exp": LATE}, "token_expired"),
    "expired beyond the leeway": ({"exp": int(time.time()) - 31}, "token_expired"),
    "an exp that is text": ({"exp": "tomorrow"}, "token_invalid"),
    "an exp without end": ({"exp": float("inf")}, "token_invalid"),
    "an exp that is no number": ({"exp": float("nan")}, "token_invalid"),
    "not yet": ({"nbf": 4_000_000_000}, "token_not_yet_valid"),
    "issued tomorrow": ({"iat": 4_000_000_000}, "token_not_yet_valid"),
    "groups that are a word": ({"groups": "org-admin"}, "token_invalid"),
    "groups of groups": ({"groups": [["org-admin"]]}, "token_invalid"),
    "namespaces that are none": ({"namespaces": {"a": 1}}, "token_invalid"),
    "an org that is a number": ({"org": 7}, "token_invalid"),
    "an org no name can be": ({"org": "../Nova"}, "token_invalid"),
}


@pytest.mark.parametrize("name", CLAIMED)
def test_a_wrong_claim_is_refused_and_leaves_nothing(client: Client, issuer: Issuer, name: str) -> None:
    changes, code = CLAIMED[name]
    _is_refused(client, issuer.token("ann", **{"org": "nova", **changes}), code)


def test_a_token_without_an_organization_opens_nothing(client: Client, issuer: Issuer) -> None:
    before = row_counts()
    assert ask(client, issuer.token("ann", org=None)).status_code == 403  # type: ignore[arg-type]
    assert row_counts() == before


def test_an_issuer_that_is_not_active_is_unknown(client: Client, issuer: Issuer) -> None:
    TrustedIssuer.objects.update(active=False)
    _is_refused(client, issuer.token("ann", "nova", "org-admin"), "token_invalid")


def test_one_audience_among_several_is_ours(client: Client, issuer: Issuer) -> None:
    assert ask(client, issuer.token("ann", "nova", "org-admin", aud=["account", AUDIENCE])).status_code == 200


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("PS256", rsa_key("one")),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_the_algorithms_of_an_issuer_are_its_own(client: Client, issuer: Issuer, algorithm: str, key: Any) -> None:
    issuer.served = {"keys": [jwk(key, "two")]}
    token = issuer.sign(issuer.claims("ann", "nova", "org-admin"), key=key, algorithm=algorithm, kid="two")
    assert ask(client, token).status_code == 401
    TrustedIssuer.objects.update(algorithms=[algorithm])
    assert ask(client, token).status_code == 200


# --- their keys


def test_a_new_key_is_fetched_once_in_half_a_minute(
    client: Client, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token("ann", "nova", "org-admin")
    assert ask(client, token).status_code == 200
    asked, began = issuer.asked, time.monotonic()
    issuer.served = {"keys": [jwk(rsa_key("two"), "two")]}
    rotated = issuer.sign(issuer.claims("ann", "nova", "org-admin"), key=rsa_key("two"), kid="two")
    for _ in range(3):
        assert ask(client, rotated).status_code == 401
    assert issuer.asked == asked
    monkeypatch.setattr(keys.time, "monotonic", lambda: began + keys.AGAIN_SECONDS + 1)
    assert ask(client, rotated).status_code == 200
    assert issuer.asked == asked + 1
    assert ask(client, token).status_code == 401  # its key was taken back


def test_an_issuer_that_cannot_be_reached_is_said_and_what_was_had_serves_an_hour(
    client: Client, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token("ann", "nova", "org-admin", exp=int(time.time()) + 10_000)
    assert ask(client, token).status_code == 200
    issuer.status, began = 500, time.monotonic()
    monkeypatch.setattr(keys.time, "monotonic", lambda: began + keys.FRESH_SECONDS + 60)
    assert ask(client, token).status_code == 200
    monkeypatch.setattr(keys.time, "monotonic", lambda: began + keys.KEPT_SECONDS + 60)
    assert ask(client, token).status_code == 503
    keys.forget()
    assert ask(client, token).status_code == 503


@pytest.mark.parametrize(
    "published", [{}, [], {"keys": 7}, {"keys": [7, {}, {"kid": "one"}, {"kid": "one", "kty": "oct", "k": "eA"}]}]
)
def test_a_key_set_without_a_key_is_no_key_set(client: Client, issuer: Issuer, published: Any) -> None:
    issuer.served = published
    assert ask(client, issuer.token("ann", "nova", "org-admin")).status_code == 503


@pytest.mark.parametrize(
    "address",
    [
        *("", "ftp://a.example", "http://a.example/keys", "https://", "file:///etc/passwd", "https://u:p@a.example"),
        *(
            "https://a.example/a b",
            "http://169.254.169.254/",
            "https://a.example:99999/",
            "http://localhost.evil.example",
        ),
        *("//a.example", "https://exämple.example", "https://a.example/\nx"),
    ],
)
def test_keys_come_by_https(address: str) -> None:
    with pytest.raises(keys.KeysAddressInvalid):
        keys.check_address(address)


@pytest.mark.parametrize(
    "address", ["https://a.example/k?x=1", "http://127.0.0.1:1/k", "http://[::1]/k", "http://localhost/k"]
)
def test_or_from_this_very_machine(address: str) -> None:
    assert keys.check_address(address) == address


def test_a_known_bearer_costs_three_questions(client: Client, issuer: Issuer) -> None:
    token = issuer.token("ann", "nova", "project-user", namespaces=["nova-web", "api"])
    assert ask(client, token).status_code == 200
    with CaptureQueriesContext(connection) as asked:
        assert ask(client, token).status_code == 200
    assert len(asked) == 3, [query["sql"] for query in asked]


def _is_refused(client: Client, token: str, code: str) -> None:
    before = row_counts()
    answer = ask(client, token)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="countinghouse"')
    assert answer.json()["code"] == code
    assert row_counts() == before
