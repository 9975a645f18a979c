"""Bindings over HTTP: who may see and make them."""

from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.lifecycle import open_project
from accounts.models import BillingAccountBinding
from tests.accounts.api.callers import client_of, member
from tests.cast import BEGINNING, Cast
from tests.row_counts import row_counts

BINDINGS = "/api/v1/bindings"


def test_bindings_are_listed_by_project_account_and_phase(
    cast: Cast, alice: APIClient, charlie: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        project = open_project(cast.acme, f"P {number}", f"p-{number}", at=BEGINNING).public_id
        body = {"project": project, "billing_account": cast.prepaid.public_id}
        assert alice.post(BINDINGS, body, format="json").status_code == 201
    with django_assert_max_num_queries(8):
        rows = alice.get(f"{BINDINGS}?limit=100").json()["data"]
    assert len(rows) == 14
    assert alice.get(f"{BINDINGS}/{rows[0]['id']}").json() == rows[0]
    for query, count in (
        (f"project={cast.project.public_id}", 1),
        (f"billing_account={cast.prepaid.public_id}", 13),
        ("phase=Superseded", 0),
        (f"phase=Active&project={cast.postpaid_project.public_id}", 1),
    ):
        assert len(alice.get(f"{BINDINGS}?{query}&limit=50").json()["data"]) == count, query
    assert charlie.get(BINDINGS).json()["data"] == []
    assert charlie.get(f"{BINDINGS}/{rows[0]['id']}").status_code == 404
    assert charlie.get(f"{BINDINGS}?project={cast.project.public_id}").status_code == 404
    assert charlie.get(f"{BINDINGS}?billing_account={cast.prepaid.public_id}").status_code == 404


def test_foreign_and_unknown_are_refused_alike(cast: Cast, alice: APIClient, charlie: APIClient) -> None:
    free = open_project(cast.acme, "Free", "free", at=BEGINNING)
    theirs = open_project(cast.strangers, "Theirs", "theirs", at=BEGINNING)
    before = row_counts()
    for project, account, pointer in (
        (free.public_id, cast.foreign.public_id, "/billing_account"),
        (free.public_id, "ba_00000000zzzzz", "/billing_account"),
        (theirs.public_id, cast.prepaid.public_id, "/project"),
        ("prj_00000000zzzzz", cast.prepaid.public_id, "/project"),
    ):
        refused = alice.post(BINDINGS, {"project": project, "billing_account": account}, format="json")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, pointer)
    rebind = f"/api/v1/projects/{cast.project.public_id}/rebind"
    assert charlie.post(rebind, {"billing_account": cast.foreign.public_id}, format="json").status_code == 404
    viewer = client_of(member(cast.bob, cast.acme, "billing-viewer"))
    assert viewer.post(rebind, {"billing_account": cast.postpaid.public_id}, format="json").status_code == 403
    body = {"project": free.public_id, "billing_account": cast.prepaid.public_id}
    assert viewer.post(BINDINGS, body, format="json").status_code == 403
    assert row_counts() == before


def test_a_dry_rebind_tells_and_moves_nothing(cast: Cast, alice: APIClient, dana: APIClient) -> None:
    rebind = f"/api/v1/projects/{cast.project.public_id}/rebind"
    body = {"billing_account": cast.postpaid.public_id}
    dry = alice.post(f"{rebind}?dry_run=true", body, format="json")
    assert (dry.status_code, dry.json()["billing_account"]) == (201, cast.postpaid.public_id)
    assert BillingAccountBinding.objects.get(project=cast.project).billing_account == cast.prepaid
    assert dana.post(rebind, body, format="json").json()["code"] == "reason_required"
    assert dana.post(rebind, body | {"reason": "they wrote"}, format="json").status_code == 201
