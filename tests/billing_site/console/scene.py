"""Acme with a plan, and its people at the console's door, by session or by token."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.test import Client

from accounts import memberships
from accounts.models import Membership, Organization, Project, User
from accounts.oidc import keys
from payments import registry
from payments.providers.console import Console
from payments.providers.contract import Capabilities, Provider
from quotas.usage_report import report
from tests.cast import ACTOR, NOON, Cast
from tests.oidc_issuer import Issuer, jwk, rsa_key

USED = {"cpu": "4200m", "memory": "12800Mi", "storage": "45Gi", "pods": "23"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def bearing(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def let_in(cast: Cast, user: User, *projects: Project) -> None:
    member = Membership.objects.get(organization=cast.acme, user=user)
    for project in projects:
        memberships.let_in(member.pk, project.pk, actor=ACTOR, at=NOON)


def reported(organization: Organization, project: Project | None = None, /, **values: object) -> None:
    report(organization, values or USED, project=project, reported_at=NOON, at=NOON)


def trusted(issuer: Issuer, settings: Any) -> Issuer:
    """The issuer, known and trusted, and nobody kept out for asking too often."""
    settings.API_FAILURES_PER_MINUTE = 10**6
    keys.forget()
    issuer.served, issuer.status = {"keys": [jwk(rsa_key("one"), "one", alg="RS256")]}, 200
    issuer.open()
    return issuer


def refusal(answer: Any) -> tuple[int, str, Any]:
    """Status, sentence and details of an error, whose envelope must be the seed's."""
    body = answer.json()
    assert list(body) == ["success", "error", "details", "timestamp"], body
    assert body["success"] is False
    stamp = body["timestamp"]
    assert len(stamp) == len("2025-10-01T15:25:00.000Z")
    assert stamp.endswith("Z")
    datetime.fromisoformat(stamp)
    return answer.status_code, body["error"], body["details"]


@contextmanager
def provider_in_force(settings: Any, console: Console, *, name: str = "barter") -> Iterator[Provider]:
    """A provider of the test's own, registered and in force."""

    class Barter(Provider):
        label = "barter"

        def capabilities(self) -> Capabilities:
            return Capabilities()

        def console(self) -> Console:
            return console

    Barter.name = name
    provider, before = Barter(), dict(registry._providers)
    registry.register(provider)
    settings.BILLING_PROVIDER = name
    try:
        yield provider
    finally:
        registry._providers.clear()
        registry._providers.update(before)
