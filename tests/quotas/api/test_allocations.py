"""Allocations over HTTP: started once, found, resized, released; whoever may not is told as little as possible."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import clock, enforcement
from accounts.abilities import CONFIRM_RELEASES
from accounts.api.fields import rfc3339
from accounts.lifecycle import open_project
from accounts.models import AuditLog, Level
from quotas.allocations import start
from quotas.models import Allocation
from quotas.price_book import open_sku
from tests.accounts.api.callers import client_of, member
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.quotas.api.callers import platform, staff
from tests.row_counts import row_counts

ALLOCATIONS = "/api/v1/allocations"
both_paths = pytest.mark.parametrize("path", [ALLOCATIONS, "/allocations"])


@pytest.fixture
def bob(cast: Cast) -> APIClient:
    """He may use one project."""
    return client_of(member(cast.bob, cast.acme, "project-user", cast.project))


@pytest.fixture
def wanted(cast: Cast) -> dict[str, Any]:
    return {"project": cast.project.public_id, "sku": "gpu", "quantity": "2.5"}


def post(client: APIClient, path: str, body: Any = None, **more: Any) -> Any:
    return client.post(path, body or {}, format="json", **more)


@both_paths
def test_the_life_of_an_allocation(bob: APIClient, cast: Cast, wanted: dict[str, Any], path: str) -> None:
    started = post(bob, path, {**wanted, "external_id": "vm-1"})
    assert started.status_code == 201, started.json()
    body = started.json()
    assert {name: body[name] for name in ("external_id", "sku", "unit", "quantity", "status", "currency")} == {
        "external_id": "vm-1",
        "sku": "gpu",
        "unit": "GPU",
        "quantity": "2.5",
        "status": "active",
        "currency": "USD",
    }
    assert (body["billing_account"], body["rate_per_unit_hour"]) == (cast.prepaid.public_id, "2.5")
    one = f"{path}/{body['id']}"
    assert bob.get(one).json() == bob.get(f"{path}/ext:vm-1").json() == body
    assert post(bob, f"{one}/resize", {"quantity": 4}).json()["quantity"] == "4"
    asked = post(bob, f"{one}/release").json()
    assert (asked["status"], asked["completed_at"]) == ("releasing", None)
    assert post(bob, f"{one}/release").json() == asked
    done = "complete-release" if path == ALLOCATIONS else "releasing.completed"
    gone = {"completed_at": rfc3339(clock.now())}
    assert post(bob, f"{one}/{done}", gone).json()["code"] == "forbidden"
    released = post(platform(CONFIRM_RELEASES), f"{one}/{done}", gone)
    assert (released.status_code, released.json()["status"]) == (200, "released")
    assert released.json()["released_at"] == released.json()["completed_at"] == gone["completed_at"]
    assert post(platform(CONFIRM_RELEASES), f"{one}/{done}", gone).json() == released.json()
    assert post(bob, f"{one}/resize", {"quantity": "1"}).json()["code"] == "wrong_status"


def test_one_may_be_asked_for_first(bob: APIClient, wanted: dict[str, Any]) -> None:
    asked = post(bob, ALLOCATIONS, {**wanted, "start": False}).json()
    assert (asked["status"], asked["started_at"]) == ("requested", None)
    active = post(bob, f"{ALLOCATIONS}/{asked['id']}/activate", {"reason": "the machine is there"})
    assert (active.status_code, active.json()["status"]) == (200, "active")
    assert AuditLog.objects.latest("pk").reason == "the machine is there"
    assert post(bob, f"{ALLOCATIONS}/{asked['id']}/activate").json()["code"] == "wrong_status"


@both_paths
def test_what_may_not_start_says_why(bob: APIClient, cast: Cast, wanted: dict[str, Any], path: str) -> None:
    def refusal(**other: Any) -> tuple[int, str]:
        before = row_counts()
        refused = post(bob, path, {**wanted, **other})
        assert row_counts() == before
        return refused.status_code, refused.json()["code"]

    open_sku("disk", "Disk", "TB", at=BEGINNING)
    assert refusal(sku="disk") == (409, "no_rate")
    assert refusal(sku="none") == (404, "not_found")
    assert refusal(external_id="a b") == (422, "external_id_invalid")
    assert refusal(external_id="a/b") == (422, "external_id_invalid")
    for quantity in ("0", "-1", "1e3", "NaN", "１", "", "0.0000001"):
        assert refusal(quantity=quantity) == (422, "quantity_invalid"), quantity
    assert refusal(quantity=True) == (422, "decimal_expected")
    post(bob, path, {**wanted, "external_id": "vm-1"})
    assert refusal(external_id="vm-1") == (409, "external_id_taken")
    free = open_project(cast.acme, "Free", "free", at=BEGINNING)
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))
    assert post(alice, path, {**wanted, "project": free.public_id}).json()["code"] == "not_bound"
    enforcement.open_reason(cast.prepaid, "test", Level.HALTED, why="for a test", at=clock.now())
    assert refusal() == (409, "account_halted")


def test_at_the_platform_s_own_path_a_refusal_is_a_code_and_a_message(bob: APIClient, wanted: dict[str, Any]) -> None:
    refused = post(bob, "/allocations", {**wanted, "quantity": "0"})
    assert refused.headers["Content-Type"] == "application/json"
    assert sorted(refused.json()) == ["code", "message"]
    assert APIClient().get("/allocations").status_code == 401
    assert sorted(APIClient().get("/allocations").json()) == ["code", "message"]
    unknown = bob.get("/allocations/alc_zzzzzzzzzzzzz")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


@both_paths
def test_a_key_starts_one_machine_however_often_it_is_sent(bob: APIClient, wanted: dict[str, Any], path: str) -> None:
    key = {"Idempotency-Key": "start-1"}
    first = post(bob, path, wanted, headers=key)
    again = post(bob, path, wanted, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Allocation.objects.count() == 1


def test_a_dry_run_writes_nothing(bob: APIClient, wanted: dict[str, Any]) -> None:
    before = row_counts()
    dry = post(bob, f"{ALLOCATIONS}?dry_run=true", wanted)
    assert (dry.status_code, dry.json()["status"]) == (201, "active")
    assert row_counts() == before


def test_foreign_hidden_and_unknown_answer_alike(bob: APIClient, cast: Cast, wanted: dict[str, Any]) -> None:
    theirs = open_project(cast.strangers, "Theirs", "theirs", at=BEGINNING)
    other = start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    names = (cast.postpaid_project.public_id, theirs.public_id, "prj_0000000zzzzzz")
    refusals = [post(bob, ALLOCATIONS, {**wanted, "project": name}).json() | {"request_id": None} for name in names]
    assert refusals[0]["status"] == 404
    assert refusals[0]["errors"][0]["pointer"] == "/project"
    assert refusals == refusals[:1] * 3
    for address, body in (("", None), ("/resize", {"quantity": "1"}), ("/release", {}), ("/activate", {})):
        answers = []
        for name in (other.public_id, "alc_0000000zzzzzz", "x", "ext:none"):
            url = f"{ALLOCATIONS}/{name}{address}"
            answers.append((bob.get(url) if body is None else post(bob, url, body)).json() | {"request_id": None})
        assert answers[0]["status"] == 404
        assert answers == answers[:1] * 4
    guest = client_of(member(cast.bob, cast.acme, "billing-viewer"))
    assert post(guest, f"{ALLOCATIONS}/{other.public_id}/release").json()["code"] == "forbidden"


def test_lists_are_filtered_and_show_what_the_caller_may_see(bob: APIClient, cast: Cast) -> None:
    mine = start(cast.project, cast.gpu, quantity="1", external_id="a", actor=ACTOR, at=NOON)
    other = start(cast.postpaid_project, cast.gpu, quantity="1", external_id="b", actor=ACTOR, at=NOON)
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))

    def ids(client: APIClient, **query: str) -> list[str]:
        answer = client.get(ALLOCATIONS, query)
        assert answer.status_code == 200, answer.json()
        return [row["id"] for row in answer.json()["data"]]

    both = [other.public_id, mine.public_id]
    assert ids(bob) == both[1:]
    assert ids(alice) == ids(alice, status="active", sku="gpu") == ids(alice, organization=cast.acme.public_id) == both
    assert ids(alice, project=cast.project.public_id) == ids(alice, external_id="a") == both[1:]
    assert ids(alice, billing_account=cast.postpaid.public_id) == both[:1]
    assert ids(staff(cast.dana), organization=cast.strangers.public_id) == []
    assert alice.get(ALLOCATIONS, {"organization": cast.strangers.public_id}).status_code == 404
    assert bob.get(ALLOCATIONS, {"billing_account": cast.prepaid.public_id}).status_code == 404
    assert alice.get(ALLOCATIONS, {"status": "gone"}).status_code == 422


def test_a_page_asks_as_often_for_many_as_for_one(bob: APIClient, cast: Cast) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert bob.get(ALLOCATIONS, {"limit": "100"}).status_code == 200
        return len(queries)

    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    one = asked()
    for _ in range(20):
        start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert asked() == one <= 8


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026-03-10T11:59:59Z", "release_before_start"),
        ("2999-01-01T00:00:00Z", "time_invalid"),
        ("2026-03-10T12:00:00", "time_invalid"),
        ("noon", "time_invalid"),
        (5, "time_invalid"),
        (None, "field_null"),
    ],
)
def test_a_release_is_confirmed_with_the_moment_it_happened(cast: Cast, moment: Any, code: str) -> None:
    running = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    url = f"{ALLOCATIONS}/{running.public_id}/complete-release"
    client = platform(CONFIRM_RELEASES)
    refused = post(client, url, {"completed_at": moment})
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["errors"][0]["pointer"] == "/completed_at"
    assert post(client, url).json()["code"] == "field_required"
    in_the_future = {"completed_at": rfc3339(clock.now() + timedelta(minutes=5))}
    assert post(client, url, in_the_future).json()["code"] == "time_invalid"
    assert Allocation.objects.get().status == "active"
