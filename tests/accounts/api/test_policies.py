"""Policies over HTTP: staff set them, customers ask what is in force for their own."""

import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import ApprovalRequest, AuditLog, PolicyValue
from accounts.policy import set_value
from accounts.policy_keys import KEYS
from tests.accounts.api.callers import client_of, member
from tests.cast import ACTOR, NOON, Cast
from tests.row_counts import row_counts

POLICIES = "/api/v1/policies"
WINDOW = "billing.window_seconds"
GUARDED = "approvals.credit_minor"
WHY = {"reason": "for a test"}


def put(client: APIClient, address: str, value: Any, **headers: str) -> Any:
    return client.put(f"{POLICIES}/{address}", WHY | {"value": value}, format="json", headers=headers)


def test_staff_set_read_and_unset_a_value(cast: Cast, dana: APIClient, alice: APIClient) -> None:
    here = f"{WINDOW}/{cast.acme.public_id}"
    assert dana.get(f"{POLICIES}/{here}").status_code == 404
    done = put(dana, here, 120)
    assert (done.status_code, done.json()["value"], done.json()["subject"]) == (200, 120, cast.acme.public_id)
    assert dana.get(f"{POLICIES}/{here}").json() == done.json()
    assert put(dana, f"{WINDOW}/everyone", 90).json()["subject"] is None
    assert AuditLog.objects.filter(action="policy.set", actor=cast.dana, reason="for a test").count() == 2
    back = dana.delete(f"{POLICIES}/{here}", WHY, format="json").json()
    assert (back["value"], back["scope"]) == (90, "global")
    assert dana.delete(f"{POLICIES}/{here}", WHY, format="json").json()["code"] == "not_set"


def test_who_read_an_older_value_does_not_overwrite_the_newer(cast: Cast, dana: APIClient) -> None:
    here = f"{WINDOW}/{cast.acme.public_id}"
    put(dana, here, 120)
    tag = dana.get(f"{POLICIES}/{here}").headers["ETag"]
    assert put(dana, here, 121, **{"If-Match": tag}).status_code == 200
    assert put(dana, here, 122, **{"If-Match": tag}).json()["code"] == "version_mismatch"
    assert put(dana, f"{WINDOW}/{cast.strangers.public_id}", 1, **{"If-Match": tag}).status_code == 412


def test_what_guards_money_waits_for_a_second_person(cast: Cast, dana: APIClient, erin: APIClient) -> None:
    asked = put(dana, f"{GUARDED}/everyone", 999)
    assert asked.status_code == 202
    approval = asked.json()["approval"]
    assert (approval["state"], approval["maker"]) == ("pending", cast.dana.public_id)
    assert not PolicyValue.objects.exists()
    decide = f"/api/v1/approvals/{approval['id']}/decide"
    body = {"decision": "approve"}
    assert erin.post(decide, body, format="json").json()["code"] == "idempotency_key_required"
    key = {"Idempotency-Key": "a1"}
    assert dana.post(decide, body, format="json", headers=key).status_code == 403
    decided = erin.post(decide, body, format="json", headers=key)
    assert (decided.json()["state"], decided.json()["checker"]) == ("approved", cast.erin.public_id)
    assert erin.post(decide, body, format="json", headers=key).headers["Idempotent-Replayed"] == "true"
    assert PolicyValue.objects.get().value == 999
    later = erin.post(decide, body, format="json", headers={"Idempotency-Key": "a2"})
    assert (later.status_code, later.json()["code"]) == (409, "approval_refused")
    assert dana.delete(f"{POLICIES}/{GUARDED}/everyone", WHY, format="json").status_code == 202


@pytest.mark.parametrize(
    "value",
    [0, -1, 86_401, 10**30, "60", "", True, None, [], [60], {}, {"amount_minor": 60, "currency": "USD"}, 60.0, 1e3],
)
def test_a_value_that_does_not_fit_is_refused(cast: Cast, dana: APIClient, value: Any) -> None:
    before = row_counts()
    refused = put(dana, f"{WINDOW}/everyone", value)
    assert refused.status_code == 422, refused.json()
    assert refused.json()["errors"][0]["pointer"] == "/value"
    assert row_counts() == before


@pytest.mark.parametrize(
    "value", [{"amount_minor": 1, "currency": ["USD"]}, {"amount_minor": 1, "currency": "usd"}, {"amount_minor": 1.5}]
)
def test_money_that_is_none_is_refused(cast: Cast, dana: APIClient, value: Any) -> None:
    assert put(dana, "billing.minimum_deposit_minor/everyone", value).status_code == 422


def test_an_address_that_names_nothing_is_refused(cast: Cast, dana: APIClient) -> None:
    for address, status in (
        ("nonsense/everyone", 404),
        (f"{WINDOW}/org_00000000zzzzz", 404),
        (f"{WINDOW}/%00", 404),
        (f"{WINDOW}/{cast.project.public_id}", 422),
        (f"{WINDOW}/{cast.prepaid.public_id}", 422),
        (f"approvals.expiry_hours/{cast.acme.public_id}", 422),
    ):
        assert put(dana, address, 60).status_code == status, address
        assert dana.get(f"{POLICIES}/{address}").status_code == status, address


def test_customers_neither_set_nor_read_what_is_set(cast: Cast, alice: APIClient, erin: APIClient) -> None:
    here = f"{WINDOW}/{cast.acme.public_id}"
    before = row_counts()
    assert put(alice, here, 60).status_code == 403
    assert put(erin, here, 60).status_code == 403
    assert alice.delete(f"{POLICIES}/{here}", WHY, format="json").status_code == 403
    assert alice.get(f"{POLICIES}/{here}").status_code == 403
    assert alice.get(POLICIES).status_code == 403
    assert row_counts() == before


def test_values_are_listed_with_filters(
    cast: Cast, dana: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for key in [name for name, one in KEYS.items() if one.kind == "bool" and not one.needs_approval]:
        where = (("global", None), ("tenant", cast.acme.pk), ("project", cast.project.pk), ("user", cast.bob.pk))
        for scope, scope_id in where:
            set_value(key, False, scope=scope, scope_id=scope_id, actor=ACTOR, reason="a test", at=NOON)
    with django_assert_max_num_queries(8):
        rows = dana.get(f"{POLICIES}?limit=100").json()["data"]
    assert len(rows) == 12
    for query, count in (
        ("scope=tenant", 3),
        (f"subject={cast.bob.public_id}", 3),
        (f"subject={cast.acme.public_id}&key=notification.low_balance_enabled", 1),
        (f"subject={cast.prepaid.public_id}", 0),
    ):
        assert len(dana.get(f"{POLICIES}?{query}").json()["data"]) == count, query
    assert dana.get(f"{POLICIES}?key=x").status_code == 422
    assert dana.get(f"{POLICIES}?subject=org_00000000zzzzz").status_code == 404


def test_customers_ask_what_is_in_force_for_their_own(
    cast: Cast, alice: APIClient, dana: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    in_force = f"{POLICIES}/effective?subject="
    with django_assert_max_num_queries(8):
        found = alice.get(f"{in_force}{cast.prepaid.public_id}").json()
    assert (found["subject"], found["currency"]) == (cast.prepaid.public_id, "USD")
    names = {one["key"] for one in found["policies"]}
    assert WINDOW in names
    assert GUARDED not in names
    assert found["policies"][0]["asked"] is None
    unknown = alice.get(f"{in_force}org_00000000zzzzz").json() | {"request_id": None}
    for foreign in (cast.strangers, cast.foreign, cast.charlie, cast.bob, cast.dana):
        assert alice.get(f"{in_force}{foreign.public_id}").json() | {"request_id": None} == unknown
    for own in (cast.acme, cast.project, cast.alice):
        assert alice.get(f"{in_force}{own.public_id}").status_code == 200
    bob = client_of(member(cast.bob, cast.acme, "project-user", cast.project))
    assert bob.get(f"{in_force}{cast.project.public_id}").status_code == 403
    shown = dana.get(f"{in_force}{cast.acme.public_id}&key={GUARDED}").json()["policies"]
    assert [step["scope"] for step in shown[0]["asked"]] == ["global", "default"]
    assert dana.get(f"{POLICIES}/effective?key={WINDOW}").json()["subject"] is None
    assert alice.get(f"{in_force}{cast.acme.public_id}&key={GUARDED}").status_code == 404


def test_the_keys_say_what_they_take(alice: APIClient, dana: APIClient) -> None:
    every = {row["key"]: row for row in dana.get("/api/v1/policy-keys").json()["data"]}
    assert every.keys() == KEYS.keys()
    assert every[WINDOW]["takes"] == "a whole number of seconds from 1 to 86,400"
    assert every[GUARDED]["needs_approval"] is True
    own = {row["key"] for row in alice.get("/api/v1/policy-keys").json()["data"]}
    assert own == {name for name, key in KEYS.items() if key.scopes != ("global",)}


def test_approvals_are_for_staff(cast: Cast, alice: APIClient, dana: APIClient, erin: APIClient) -> None:
    put(dana, f"{GUARDED}/everyone", 999)
    asked = ApprovalRequest.objects.get()
    address = f"/api/v1/approvals/{asked.public_id}"
    for client in (dana, erin):
        assert [row["id"] for row in client.get("/api/v1/approvals?state=pending").json()["data"]] == [asked.public_id]
        assert client.get(address).json()["act"] == "accounts.set_policy"
    for query in ("state=approved", "act=x", f"billing_account={cast.prepaid.public_id}"):
        assert erin.get(f"/api/v1/approvals?{query}").json()["data"] == []
    assert alice.get("/api/v1/approvals").status_code == 403
    assert alice.get(address).status_code == 403
    key = {"Idempotency-Key": "k"}
    assert alice.post(f"{address}/decide", {"decision": "approve"}, format="json", headers=key).status_code == 403
    odd = erin.post(f"{address}/decide", {"decision": "maybe"}, format="json", headers=key)
    assert (odd.status_code, odd.json()["errors"][0]["pointer"]) == (422, "/decision")
    no = erin.post(f"{address}/decide", {"decision": "reject", "note": "too much"}, format="json", headers=key)
    assert (no.json()["state"], no.json()["note"]) == ("rejected", "too much")
    assert json.dumps(no.json())
