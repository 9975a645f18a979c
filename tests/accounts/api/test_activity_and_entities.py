"""The activity feed, legal entities and the closing of projects over HTTP."""

from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.account_phases import suspend
from accounts.audit import person
from accounts.lifecycle import open_project
from accounts.models import LegalEntity
from accounts.personal_data import show_details
from quotas.allocations import start
from tests.accounts.api.callers import client_of, member
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.funding import fund


def activity(cast: Cast) -> str:
    return f"/api/v1/organizations/{cast.acme.public_id}/activity"


def test_customers_are_told_what_was_done_and_not_by_whom_of_our_staff(
    cast: Cast, alice: APIClient, dana: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    suspend(cast.postpaid.pk, actor=person(cast.dana), reason="a note among us", at=NOON)
    show_details(cast.postpaid.pk, by=cast.dana, page="/somewhere", at=NOON)
    open_project(cast.acme, "R & <D>", "rd", actor=person(cast.alice), at=NOON)
    fund(cast.prepaid)
    machine = start(cast.project, cast.gpu, quantity="1", actor=person(cast.bob), at=NOON)
    with django_assert_max_num_queries(8):
        told = alice.get(activity(cast)).json()["data"]
    assert [(line["who"], line["did"]) for line in told] == [
        ("Bob", f"started GPU {machine.public_id}, paid by Acme prepaid"),
        ("Alice", "opened the project R & <D>"),
        ("Our staff", "suspended the billing account Acme postpaid"),
    ]
    assert (told[2]["user"], told[2]["reason"], told[1]["user"]) == (None, None, cast.alice.public_id)
    assert "a note among us" not in alice.get(activity(cast)).text
    seen = dana.get(activity(cast)).json()["data"]
    assert [(line["who"], line["reason"]) for line in seen][1:] == [
        ("A.", ""),
        ("Dana", ""),
        ("Dana", "a note among us"),
    ]
    assert [line["kind"] for line in alice.get(f"{activity(cast)}?kind=usage").json()["data"]] == ["usage"]
    assert alice.get(f"{activity(cast)}?kind=all").json()["errors"][0]["parameter"] == "kind"
    of_account = f"/api/v1/billing-accounts/{cast.postpaid.public_id}/activity"
    assert alice.get(of_account).json()["data"] == told[2:]
    assert len(dana.get(of_account).json()["data"]) == 2
    assert alice.get(of_account.replace(cast.postpaid.public_id, cast.foreign.public_id)).status_code == 404
    page = dana.get(f"{activity(cast)}?limit=2").json()
    rest = dana.get(f"{activity(cast)}?limit=2&cursor={page['next_cursor']}").json()
    assert page["data"] + rest["data"] == seen
    viewer = client_of(member(cast.bob, cast.acme, "billing-viewer"))
    assert viewer.get(activity(cast)).status_code == 403


def test_legal_entities_are_names_to_customers(cast: Cast, alice: APIClient, dana: APIClient) -> None:
    name = cast.entity.public_id
    known = {"id": name, "name": "Countinghouse Inc"}
    hidden = {"country": None, "base_currency": None, "time_zone": None}
    assert alice.get("/api/v1/legal-entities").json()["data"] == [known | hidden]
    shown = known | {"country": "US", "base_currency": "USD", "time_zone": "America/New_York"}
    assert dana.get(f"/api/v1/legal-entities/{name}").json() == shown
    assert alice.get("/api/v1/legal-entities/le_00000000zzzzz").status_code == 404
    assert LegalEntity.objects.count() == 1


def test_a_project_is_closed_by_its_organization(cast: Cast, alice: APIClient, charlie: APIClient) -> None:
    project = open_project(cast.acme, "Old", "old", at=BEGINNING)
    address = f"/api/v1/projects/{project.public_id}/close"
    assert charlie.post(address, {}, format="json").status_code == 404
    bob = client_of(member(cast.bob, cast.acme, "project-user", project))
    assert bob.post(address, {}, format="json").status_code == 403
    assert alice.post(address, {}, format="json").json()["closed_at"] is not None
    assert alice.post(address, {}, format="json").json()["code"] == "closed"
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    running = alice.post(f"/api/v1/projects/{cast.postpaid_project.public_id}/close", {}, format="json")
    assert (running.status_code, running.json()["code"]) == (409, "has_running_allocations")
