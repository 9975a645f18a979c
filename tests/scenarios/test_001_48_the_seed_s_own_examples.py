"""001-48: the example calls of the seed, literally, get the seed's own answers; every call of its tables answers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts import clock
from accounts.models import Organization
from quotas.subscriptions import assign_plan
from tests.billing_site.console.scene import bearing, refusal, reported, trusted
from tests.cast import ACTOR, Cast
from tests.oidc_issuer import Issuer, running
from tests.quotas.plans import publish

CONFIG = """
{
  "success": true,
  "config": {
    "provider": "none",
    "features": {
      "quotas": true, "plans": true, "checkout": false, "portal": false, "webhooks": false, "addons": false
    }
  }
}
"""
SUBSCRIPTION = """
{
  "success": true,
  "data": {
    "organization": "my-org",
    "planId": "pro-pool",
    "planName": "Pro Pool",
    "status": "active",
    "providerSubscriptionId": null,
    "providerCustomerId": null,
    "addons": [{"addonId": "turbo-x1", "quantity": 1}],
    "resources": { "cpu": 10, "memory": 28, "storage": 180 },
    "usage": {
      "cpu": { "used": 4.2, "limit": 10 },
      "memory": { "used": 12.5, "limit": 28 },
      "storage": { "used": 45, "limit": 180 },
      "pods": { "used": 23, "limit": 200 }
    }
  }
}
"""
ERROR = {
    "success": False,
    "error": "Access denied to namespace",
    "details": {"namespace": "requested-project", "availableNamespaces": ["project-1", "project-2"]},
}
READS = (
    *("config", "health", "plans", "addons", "organization-subscription", "quota-usage", "quota-status"),
    *("projects", "project/project-1/overview"),
)
STARTS = (
    *(("post", "organization-subscription"), ("put", "organization-subscription")),
    *(("delete", "organization-subscription"), ("get", "verify-checkout"), ("post", "verify-checkout")),
    *(("post", "customer-portal"), ("post", "webhook"), ("post", "organization-subscription/addons")),
    ("delete", "organization-subscription/addons/turbo-x1"),
)


@pytest.fixture(scope="module")
def served() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def console(served: Issuer, cast: Cast, settings: Any) -> Client:
    """A token with the claims of the seed's example, at a site that has never heard of `my-org`."""
    settings.BILLING_PROVIDER = "none"
    issuer = trusted(served, settings)
    publish()
    claims = {"namespaces": ["project-1", "project-2"]}
    client = bearing(issuer.token("u-1", "my-org", "org-admin", "user", **claims))
    assert client.get("/api/billing/config").status_code == 200
    organization = Organization.objects.get(slug="my-org")
    assign_plan(organization, "pro-pool", {"turbo-x1": 1}, actor=ACTOR, reason="the example", at=clock.now())
    reported(organization)
    return client


def test_001_48_the_config_example(console: Client) -> None:
    assert console.get("/api/billing/config").json() == json.loads(CONFIG)


def test_001_48_the_subscription_example(console: Client) -> None:
    answer = console.get("/api/billing/organization-subscription")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == json.loads(SUBSCRIPTION)
    assert '"cpu":{"used":4.2,"limit":10}' in answer.text


def test_001_48_the_error_example(console: Client) -> None:
    answer = console.get("/api/billing/project/requested-project/overview")
    body = answer.json()
    assert refusal(answer)[0] == 403
    body.pop("timestamp")
    assert body == ERROR


@pytest.mark.parametrize("path", READS)
def test_001_48_every_read_of_the_tables_answers_in_the_envelope(console: Client, path: str) -> None:
    answer = console.get(f"/api/billing/{path}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["success", "config" if path == "config" else "data"]
    assert body["success"] is True
    assert console.head(f"/api/billing/{path}").status_code == 200


@pytest.mark.parametrize(("method", "path"), STARTS)
def test_001_48_the_other_routes_are_not_mounted_without_a_provider(console: Client, method: str, path: str) -> None:
    assert refusal(getattr(console, method)(f"/api/billing/{path}")) == (404, "Not found", {})


def test_001_48_the_projects_are_those_of_the_claims(console: Client) -> None:
    found = console.get("/api/billing/projects").json()["data"]
    assert [(row["namespace"], row["name"]) for row in found] == [
        ("my-org-project-1", "project-1"),
        ("my-org-project-2", "project-2"),
    ]
    for name in ("project-1", "my-org-project-1", found[0]["id"]):
        answer = console.get(f"/api/billing/project/{name}/overview")
        assert answer.json()["data"]["namespace"] == "my-org-project-1"
