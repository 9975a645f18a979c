"""Organizations, their features and their quota of accounts over HTTP."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.abilities import READ_PROJECTS, WRITE_BILLING
from accounts.lifecycle import open_organization
from accounts.models import AuditLog, Organization, User
from tests.accounts.api.callers import client_of, member, platform_key
from tests.cast import BEGINNING, Cast
from tests.row_counts import row_counts

ORGANIZATIONS = "/api/v1/organizations"
NOVA = {"name": "Nova", "slug": "nova", "owner": "nina@nova.example"}


def test_staff_and_the_platform_open_organizations_and_customers_do_not(
    cast: Cast, alice: APIClient, dana: APIClient, erin: APIClient
) -> None:
    before = row_counts()
    for client in (alice, erin, client_of(platform_key(READ_PROJECTS))):
        assert client.post(ORGANIZATIONS, NOVA | {"reason": "they asked"}, format="json").status_code == 403
    unsaid = dana.post(ORGANIZATIONS, NOVA, format="json")
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "reason_required")
    bad = dana.post(ORGANIZATIONS, NOVA | {"owner": "nina", "reason": "they asked"}, format="json")
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/owner")
    assert row_counts() == before

    opened = dana.post(ORGANIZATIONS, NOVA | {"external_id": "n-1", "reason": "they asked"}, format="json")
    assert opened.status_code == 201
    body = opened.json()
    assert body["owner"] == User.objects.get(email="nina@nova.example").public_id
    assert dana.get(f"{ORGANIZATIONS}/ext:n-1").json() == body
    assert AuditLog.objects.get(action="organization.open", subject_id=Organization.objects.get(slug="nova").pk).reason

    platform = client_of(platform_key(WRITE_BILLING, READ_PROJECTS))
    assert platform.post(ORGANIZATIONS, NOVA | {"slug": "nova-2"}, format="json").status_code == 201
    taken = platform.post(ORGANIZATIONS, NOVA, format="json")
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "/slug")


def test_a_customer_sees_their_own_alone(
    cast: Cast, alice: APIClient, dana: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        open_organization(f"O {number}", f"o-{number}", owner=cast.bob, at=BEGINNING)
    assert [row["slug"] for row in alice.get(ORGANIZATIONS).json()["data"]] == ["acme"]
    with django_assert_max_num_queries(8):
        assert len(dana.get(f"{ORGANIZATIONS}?limit=100").json()["data"]) == 14
    for path in ("", "/activity", "/members", "/features", "/billing-account-quota"):
        foreign = alice.get(f"{ORGANIZATIONS}/{cast.strangers.public_id}{path}")
        unknown = alice.get(f"{ORGANIZATIONS}/org_00000000zzzzz{path}")
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.json() | {"request_id": None} == unknown.json() | {"request_id": None}


def test_staff_close_one_and_customers_do_not(alice: APIClient, dana: APIClient, charlie: APIClient) -> None:
    address = f"{ORGANIZATIONS}/{alice.get(ORGANIZATIONS).json()['data'][0]['id']}/close"
    said = {"reason": "they left"}
    assert alice.post(address, said, format="json").status_code == 403
    assert charlie.post(address, said, format="json").status_code == 403
    assert dana.post(address, {}, format="json").json()["errors"][0]["pointer"] == "/reason"
    dry = dana.post(f"{address}?dry_run=true", said, format="json")
    assert dry.json()["closed_at"] is not None
    assert not Organization.objects.exclude(closed_at=None).exists()
    assert dana.post(address, said, format="json").status_code == 200
    assert dana.post(address, said, format="json").json()["code"] == "closed"


def test_features_are_granted_and_taken_back_by_staff(
    cast: Cast, alice: APIClient, charlie: APIClient, dana: APIClient
) -> None:
    features = f"{ORGANIZATIONS}/{cast.strangers.public_id}/features"
    wanted = {"feature": "multi-billing-accounts", "reason": "departments"}
    assert charlie.post(features, wanted, format="json").status_code == 403
    assert alice.post(features, wanted, format="json").status_code == 403
    assert alice.get(features).status_code == 404
    quota = f"{ORGANIZATIONS}/{cast.strangers.public_id}/billing-account-quota"
    assert charlie.get(quota).json() == {"used": 1, "allowed": 1, "raised": False}
    assert dana.post(features, wanted | {"feature": "all"}, format="json").json()["code"] == "feature_unknown"
    granted: dict[str, Any] = dana.post(features, wanted, format="json").json()
    assert (granted["feature"], granted["revoked_at"]) == ("multi-billing-accounts", None)
    assert charlie.get(features).json()["data"] == [granted]
    assert charlie.get(quota).json() == {"used": 1, "allowed": 100, "raised": True}
    assert dana.post(features, wanted, format="json").json()["code"] == "already_granted"
    revoke = f"{features}/multi-billing-accounts/revoke"
    assert dana.post(revoke, {"reason": "too many"}, format="json").json()["revoked_at"] is not None
    assert dana.post(revoke, {"reason": "too many"}, format="json").json()["code"] == "not_granted"


@pytest.mark.parametrize("role", ["project-user", "guest", "billing-viewer"])
def test_who_may_only_look_or_less_changes_nothing(cast: Cast, role: str) -> None:
    client = client_of(member(cast.bob, cast.acme, role))
    before = row_counts()
    for address in ("", f"/{cast.acme.public_id}/close", f"/{cast.acme.public_id}/features"):
        assert client.post(f"{ORGANIZATIONS}{address}", {"reason": "please"}, format="json").status_code == 403
    assert row_counts() == before
