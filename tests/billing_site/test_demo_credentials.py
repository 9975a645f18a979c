"""The demo's keys and tokens open its API, at the address where the site serves the issuer's public key."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts import api_keys, clock
from accounts.abilities import OF_ROLES
from accounts.lifecycle import open_organization, open_project
from accounts.models import ApiKey, Organization
from accounts.oidc import keys
from billing_site.demo import issuer
from billing_site.demo.credentials import ROLES, demo_credentials
from tests.cast import ACTOR, BEGINNING, Cast
from tests.oidc_issuer import running

AURORA = "aurora"


@pytest.fixture
def aurora(cast: Cast, settings: Any, tmp_path: Path) -> Organization:
    settings.DEMO, settings.DEMO_DIRECTORY = True, tmp_path / "demo"
    organization = open_organization("Aurora Robotics", AURORA, owner=cast.alice, at=BEGINNING)
    open_project(organization, "Production", "production", at=BEGINNING)
    return organization


@pytest.fixture
def port(aurora: Organization) -> Iterator[int]:
    """Where the public key is served: what the site's own page says, at a real address."""
    with running() as server:
        server.served = Client().get("/demo/jwks.json").json()
        yield int(server.address.rpartition(":")[2])


def ask(bearer: str) -> Any:
    answer = Client().get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {bearer}")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_keys_and_tokens_open_the_api(aurora: Organization, port: int) -> None:
    made = demo_credentials(port, at=clock.now())
    for role in ROLES:
        (seat,) = ask(made.tokens[role])["seats"]
        assert (seat["organization"], seat["role"]) == (aurora.public_id, role)
        assert seat["abilities"] == sorted(OF_ROLES[role])
    (seat,) = ask(made.key)["seats"]
    assert seat["abilities"] == sorted(api_keys.OF_CUSTOMERS)
    assert "usage:write" in ask(made.platform_key)["everywhere"]
    assert aurora.projects.count() == 1


def test_they_are_the_same_each_time_and_new_where_they_were_lost(aurora: Organization, port: int) -> None:
    at = clock.now()
    made = demo_credentials(port, at=at)
    again = demo_credentials(port, at=at + timedelta(hours=1))
    assert again == made
    later = demo_credentials(port, at=at + timedelta(days=25))
    assert later.tokens != made.tokens
    assert made.key not in repr(made)
    api_keys.revoke(ApiKey.objects.get(organization=aurora).pk, actor=ACTOR, at=at)
    third = demo_credentials(port, at=at)
    assert third.key != made.key
    assert third.platform_key == made.platform_key
    issuer.private_file("credentials.json").unlink()
    assert demo_credentials(port, at=at).platform_key != made.platform_key
    assert ApiKey.objects.filter(revoked_at=None).count() == 2


def test_what_is_kept_is_its_owners_alone(aurora: Organization, port: int) -> None:
    demo_credentials(port, at=clock.now())
    for name in ("issuer.pem", "credentials.json"):
        assert issuer.private_file(name).stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_without_a_demo_there_is_no_key_set(settings: Any) -> None:
    settings.DEMO = False
    keys.forget()
    assert Client().get("/demo/jwks.json").status_code == 404
