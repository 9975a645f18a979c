"""What every address of /api/v1 does alike, shown on projects."""

import json
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts.lifecycle import open_project
from accounts.models import AuditLog, IdempotencyRecord, Organization, Project
from tests.accounts.api.callers import client_of, member
from tests.cast import BEGINNING, Cast

PROJECTS = "/api/v1/projects"


@pytest.fixture
def wanted(cast: Cast) -> dict[str, Any]:
    return {"organization": cast.acme.public_id, "name": "Research", "slug": "research"}


def test_an_act_answers_what_a_reader_would_see(alice: APIClient, wanted: dict[str, Any]) -> None:
    opened = alice.post(PROJECTS, {**wanted, "external_id": "r-1"}, format="json")
    assert opened.status_code == 201
    body = opened.json()
    assert body["external_id"] == "r-1"
    assert body["closed_at"] is None
    assert body["created_at"].endswith("Z")
    assert alice.get(f"{PROJECTS}/{body['id']}").json() == body
    assert alice.get(f"{PROJECTS}/ext:r-1").json() == body
    again = alice.post(PROJECTS, {**wanted, "slug": "other", "external_id": "r-1"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "external_id_taken")
    assert again.json()["errors"] == [
        {"code": "external_id_taken", "detail": again.json()["errors"][0]["detail"], "pointer": "/external_id"}
    ]


def test_pages_neither_repeat_nor_skip(alice: APIClient, cast: Cast) -> None:
    for number in range(5):
        open_project(cast.acme, f"P {number}", f"p-{number}", at=BEGINNING)
    first = alice.get(PROJECTS, {"limit": "3"}).json()
    open_project(cast.acme, "Late", "late", at=BEGINNING)
    second = alice.get(PROJECTS, {"limit": "3", "cursor": first["next_cursor"]}).json()
    third = alice.get(PROJECTS, {"limit": "3", "cursor": second["next_cursor"]}).json()
    slugs = [row["slug"] for page in (first, second, third) for row in page["data"]]
    assert slugs == ["p-4", "p-3", "p-2", "p-1", "p-0", "serving", "training"]
    assert (third["has_more"], third["next_cursor"]) == (False, None)


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("limit=0", "min_value", "limit"),
        ("limit=101", "max_value", "limit"),
        ("limit=1e1", "whole_number_expected", "limit"),
        ("limit=１２", "whole_number_expected", "limit"),
        ("limit=1&limit=2", "parameter_repeated", "limit"),
        ("cursor=xyz", "cursor_invalid", "cursor"),
        ("cursor=azow", "cursor_invalid", "cursor"),
        ("cursor=%00", "invalid", "cursor"),
        ("sort=name", "unknown_parameter", "sort"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(alice: APIClient, query: str, code: str, parameter: str) -> None:
    refused = alice.get(f"{PROJECTS}?{query}")
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.json()["errors"][0]["code"], refused.json()["errors"][0]["parameter"]) == (code, parameter)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "field_required"),
        (b"[]", 422, "object_expected"),
        (b"null", 422, "field_required"),
        (b"{", 400, "body_unreadable"),
        (b'{"name": NaN}', 400, "body_unreadable"),
        (b'{"name": "a", "name": "b"}', 400, "body_unreadable"),
        (b'{"name": "\\u0000"}', 400, "body_unreadable"),
        (b'{"name": "\\ud800"}', 400, "body_unreadable"),
        (b'{"name": "\xff"}', 400, "body_unreadable"),
        (b"[" * 100_000, 400, "body_unreadable"),
        (b'{"name": "' + b"a" * 300_000 + b'"}', 413, "body_too_large"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(alice: APIClient, body: bytes, status: int, code: str) -> None:
    refused = alice.generic("POST", PROJECTS, body, content_type="application/json")
    assert (refused.status_code, json.loads(refused.content)["code"]) == (status, code)


def test_what_is_unknown_or_of_another_kind_is_named_by_pointer(alice: APIClient, wanted: dict[str, Any]) -> None:
    refused = alice.post(PROJECTS, {**wanted, "owner": 1, "created_at": "2020-01-01T00:00:00Z"}, format="json")
    assert {fault["pointer"]: fault["code"] for fault in refused.json()["errors"]} == {
        "/owner": "unknown_field",
        "/created_at": "unknown_field",
    }
    refused = alice.post(PROJECTS, {**wanted, "name": 5, "organization": "prj_0000000000001"}, format="json")
    assert {fault["pointer"]: fault["code"] for fault in refused.json()["errors"]} == {
        "/name": "text_expected",
        "/organization": "id_invalid",
    }
    assert alice.post(PROJECTS, "name=x", content_type="text/plain").status_code == 415
    assert alice.post(f"{PROJECTS}/", wanted, format="json").json()["code"] == "not_found"
    assert alice.put(PROJECTS, wanted, format="json").json()["code"] == "method_not_allowed"


def test_a_dry_run_answers_alike_and_writes_nothing(alice: APIClient, wanted: dict[str, Any]) -> None:
    before = (Project.objects.count(), AuditLog.objects.count())
    dry = alice.post(f"{PROJECTS}?dry_run=true", wanted, format="json", headers={"Idempotency-Key": "k"})
    assert (dry.status_code, dry.headers["Dry-Run"]) == (201, "true")
    assert (Project.objects.count(), AuditLog.objects.count(), IdempotencyRecord.objects.count()) == (*before, 0)
    real = alice.post(PROJECTS, wanted, format="json")
    volatile = {"id", "created_at"}
    assert {k: v for k, v in real.json().items() if k not in volatile} == {
        k: v for k, v in dry.json().items() if k not in volatile
    }
    refused = alice.post(f"{PROJECTS}?dry_run=true", wanted, format="json")
    assert refused.status_code == 409


def test_a_key_acts_once_and_is_answered_again(alice: APIClient, wanted: dict[str, Any], cast: Cast) -> None:
    key = {"Idempotency-Key": "open-research-1"}
    first = alice.post(PROJECTS, wanted, format="json", headers=key)
    again = alice.post(PROJECTS, dict(reversed(wanted.items())), format="json", headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    other = alice.post(PROJECTS, {**wanted, "name": "Else"}, format="json", headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Project.objects.filter(slug="research").count() == 1
    charlie = client_of(member(cast.charlie, cast.strangers, "org-admin"))
    theirs = {**wanted, "organization": cast.strangers.public_id}
    assert charlie.post(PROJECTS, theirs, format="json", headers=key).status_code == 201


def test_a_refusal_is_not_kept(alice: APIClient, wanted: dict[str, Any]) -> None:
    key = {"Idempotency-Key": "k"}
    assert alice.post(PROJECTS, {**wanted, "slug": "training"}, format="json", headers=key).status_code == 409
    assert alice.post(PROJECTS, wanted, format="json", headers=key).status_code == 201
    for bad in ("", " ", "a b", "é", "a" * 256):
        refused = alice.post(PROJECTS, wanted, format="json", headers={"Idempotency-Key": bad})
        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_invalid"), bad


def test_the_unchanged_is_not_sent_again(alice: APIClient, cast: Cast) -> None:
    first = alice.get(f"{PROJECTS}/{cast.project.public_id}")
    again = alice.get(f"{PROJECTS}/{cast.project.public_id}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_limit_is_said_and_held(alice: APIClient, wanted: dict[str, Any], settings: Settings) -> None:
    settings.API_WRITES_PER_MINUTE = 2
    said = alice.get(PROJECTS)
    assert said.headers["RateLimit-Policy"] == '"read";q=600;w=60'
    statuses = [alice.post(f"{PROJECTS}?dry_run=true", wanted, format="json").status_code for _ in range(3)]
    assert statuses == [201, 201, 429]
    refused = alice.post(PROJECTS, wanted, format="json")
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["retryable"] is True
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert alice.get(PROJECTS).status_code == 200


def test_without_redis_each_process_holds_the_limit(
    alice: APIClient, wanted: dict[str, Any], settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.API_READS_PER_MINUTE = 2
    assert [alice.get(PROJECTS).status_code for _ in range(3)] == [200, 200, 429]


def test_foreign_and_unknown_answer_alike(alice: APIClient, cast: Cast, wanted: dict[str, Any]) -> None:
    theirs = open_project(cast.strangers, "Theirs", "theirs", at=BEGINNING, external_id="theirs")
    answers = [
        alice.get(f"{PROJECTS}/{name}").json() | {"request_id": None}
        for name in (theirs.public_id, "prj_zzzzzzzzzzzzz", "ext:theirs", "ext:none", "x", "ext:", "%00", "ext:%00")
    ]
    assert all(answer == answers[0] for answer in answers)
    unknown = "org_0000000zzzzzz"
    refusals = [
        alice.post(PROJECTS, {**wanted, "organization": name}, format="json").json() | {"request_id": None}
        for name in (cast.strangers.public_id, unknown)
    ]
    assert refusals[0]["status"] == 404
    assert refusals[0]["code"] == refusals[1]["code"]
    assert refusals[0]["errors"] == refusals[1]["errors"]
    assert Organization.objects.count() == 2


def test_who_may_not_write_is_told_so_and_who_is_nobody_is_asked(cast: Cast, wanted: dict[str, Any]) -> None:
    bob = client_of(member(cast.bob, cast.acme, "project-user", cast.project))
    assert [row["slug"] for row in bob.get(PROJECTS).json()["data"]] == ["training"]
    assert bob.get(f"{PROJECTS}/{cast.postpaid_project.public_id}").status_code == 404
    assert bob.post(PROJECTS, wanted, format="json").json()["code"] == "forbidden"
    assert client_of(member(cast.bob, cast.acme, "guest")).get(PROJECTS).status_code == 403
    assert APIClient().get(PROJECTS).json()["code"] == "token_required"


def test_me(cast: Cast) -> None:
    bob = client_of(member(cast.bob, cast.acme, "project-user", cast.project))
    assert bob.get("/api/v1/me").json() == {
        "user": cast.bob.public_id,
        "seats": [
            {
                "organization": cast.acme.public_id,
                "role": "project-user",
                "abilities": ["allocations:write", "projects:read"],
                "projects": [cast.project.public_id],
            }
        ],
        "everywhere": [],
    }


def test_a_fault_of_ours_says_nothing_but_its_id(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("the password is tr0ub4dor")

    monkeypatch.setattr("accounts.api.projects.projects_of", broken)
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))
    alice.raise_request_exception = False
    answer = alice.get(PROJECTS, headers={"X-Request-ID": "req-1"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert (answer.json()["code"], answer.json()["request_id"]) == ("server_error", "req-1")
    assert b"tr0ub4dor" not in answer.content
