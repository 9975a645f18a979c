"""Seed 000, rows 10 to 14 over HTTP: which account pays for a project, as a customer's own program reads it."""

from typing import Any

import pytest

from accounts.account_phases import suspend
from accounts.lifecycle import open_project
from accounts.models import BillingAccountBinding, Project
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.row_counts import row_counts
from tests.scenarios.programs import Program

BINDINGS = "/api/v1/bindings"


@pytest.fixture
def acme(cast: Cast) -> Program:
    return Program(cast.acme.pk)


@pytest.fixture
def free(cast: Cast) -> Project:
    return open_project(cast.acme, "Free", "free", at=BEGINNING)


def count(program: Program, account: Any) -> int:
    found: int = program("GET", f"/api/v1/billing-accounts/{account.public_id}").json()["linked_projects_count"]
    return found


def test_000_10_a_project_is_bound_to_a_ready_account_only(cast: Cast, acme: Program, free: Project) -> None:
    suspend(cast.postpaid.pk, actor=ACTOR, reason="unpaid", at=NOON)
    before = row_counts()["billing_account_bindings"]
    body = {"project": free.public_id, "billing_account": cast.postpaid.public_id}
    refused = acme("POST", BINDINGS, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "account_not_ready")
    assert "not ready (current phase: Suspended)" in refused.json()["detail"]
    assert row_counts()["billing_account_bindings"] == before


def test_000_11_a_second_active_binding_is_refused(cast: Cast, acme: Program) -> None:
    body = {"project": cast.project.public_id, "billing_account": cast.postpaid.public_id}
    refused = acme("POST", BINDINGS, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_bound")
    assert BillingAccountBinding.objects.filter(project=cast.project, phase="Active").count() == 1


def test_000_12_a_rebind_supersedes_at_once_and_keeps_the_past(cast: Cast, acme: Program) -> None:
    body = {"billing_account": cast.postpaid.public_id}
    moved = acme("POST", f"/api/v1/projects/{cast.project.public_id}/rebind", body)
    assert moved.status_code == 201
    new, old = acme("GET", f"{BINDINGS}?project={cast.project.public_id}").json()["data"]
    assert new == moved.json()
    assert (old["phase"], old["billing_account"]) == ("Superseded", cast.prepaid.public_id)
    assert (new["phase"], new["billing_account"]) == ("Active", cast.postpaid.public_id)
    assert old["superseded_at"] == new["established_at"]
    again = acme("POST", f"/api/v1/projects/{cast.project.public_id}/rebind", body)
    assert (again.status_code, again.json()["code"]) == (409, "already_bound")


@pytest.mark.parametrize("body", [{}, {"billing_account": "ba_0000000000002"}, {"phase": "Superseded"}, {"x": [1]}])
def test_000_13_a_binding_is_immutable(cast: Cast, acme: Program, body: dict[str, Any]) -> None:
    (row,) = acme("GET", f"{BINDINGS}?project={cast.project.public_id}").json()["data"]
    refused = acme("PATCH", f"{BINDINGS}/{row['id']}", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "binding_immutable")
    assert "immutable" in refused.json()["detail"]
    assert acme("GET", f"{BINDINGS}/{row['id']}").json() == row


def test_000_14_linked_projects_count_tracks_bindings(cast: Cast, acme: Program, free: Project) -> None:
    assert (count(acme, cast.prepaid), count(acme, cast.postpaid)) == (1, 1)
    acme("POST", BINDINGS, {"project": free.public_id, "billing_account": cast.prepaid.public_id})
    assert (count(acme, cast.prepaid), count(acme, cast.postpaid)) == (2, 1)
    acme("POST", f"/api/v1/projects/{free.public_id}/rebind", {"billing_account": cast.postpaid.public_id})
    assert (count(acme, cast.prepaid), count(acme, cast.postpaid)) == (1, 2)
    acme("POST", f"/api/v1/projects/{free.public_id}/close")
    assert (count(acme, cast.prepaid), count(acme, cast.postpaid)) == (1, 1)
