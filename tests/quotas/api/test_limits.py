"""Limits, what is in use of them, and quotas of projects, over HTTP."""

import pytest

from accounts.abilities import REPORT_USAGE
from accounts.lifecycle import open_project
from accounts.models import AuditLog
from quotas.models import Limit
from tests.cast import BEGINNING, Cast
from tests.quotas.api.callers import platform
from tests.quotas.api.scene import Clients, clients, code, plan_of_acme, queries, rows, send
from tests.row_counts import row_counts


@pytest.fixture
def they(cast: Cast) -> Clients:
    plan_of_acme(cast)
    return clients(cast)


def tell_usage(cast: Cast, readings: dict[str, str | None], **more: str) -> dict[str, list[str]]:
    body = {"organization": cast.acme.public_id, "readings": readings, "reported_at": "2026-03-10T12:00:00Z"}
    answer = send(platform(REPORT_USAGE), "post", "/usage-reports", {**body, **more})
    assert answer.status_code == 200, answer.json()
    found: dict[str, list[str]] = answer.json()
    return found


def test_limits_are_rows(they: Clients, cast: Cast) -> None:
    kinds = [row["kind"] for row in rows(they.alice, "/limits")]
    assert sorted(kinds) == ["external_ips", "hierarchical_resource_quota", "limit_range", "object_storage"]
    (quota,) = rows(they.viewer, "/limits", kind="hierarchical_resource_quota", organization=cast.acme.public_id)
    assert quota["values"]["requests.cpu"] == "8"
    assert (quota["organization"], quota["project"], quota["plan"]) == (cast.acme.public_id, None, "pro-pool")
    assert rows(they.bob, "/limits") == rows(they.charlie, "/limits") == []
    assert they.alice.get("/api/v1/limits", {"organization": cast.strangers.public_id}).status_code == 404
    assert queries(they.alice, "/limits") <= 2


def test_unknown_usage_is_null_and_not_zero(they: Clients, cast: Cast) -> None:
    tell_usage(cast, {"cpu": "6500m", "memory": None})
    url = f"/organizations/{cast.acme.public_id}/usage"
    body = they.alice.get(f"/api/v1{url}").json()
    found = {row.pop("dimension"): row for row in body["dimensions"]}
    cpu = found["requests.cpu"]
    assert (cpu["limit"], cpu["used"], cpu["percent"], cpu["alert_percent"]) == ("8", "6500m", "81.2", 80)
    assert cpu["reported_at"] == "2026-03-10T12:00:00Z"
    assert (found["requests.memory"]["used"], found["requests.memory"]["reported_at"]) == (None, cpu["reported_at"])
    assert (found["pods"]["used"], found["pods"]["reported_at"]) == (None, None)
    assert (found["external_ips"]["limit"], found["external_ips"]["used"]) == ("1", "0")
    assert body["level"] == "full"
    assert they.bob.get(f"/api/v1{url}").status_code == 403
    assert they.charlie.get(f"/api/v1{url}").status_code == 404
    assert queries(they.alice, url) <= 8


def test_usage_is_reported_by_the_platform_alone(they: Clients, cast: Cast) -> None:
    assert tell_usage(cast, {"cpu": "1"}) == {"taken": ["requests.cpu"], "outdated": []}
    older = tell_usage(cast, {"cpu": "2"}, reported_at="2026-03-10T11:00:00Z")
    assert older == {"taken": [], "outdated": ["requests.cpu"]}
    tell_usage(cast, {"memory": "1Gi"}, project=cast.project.public_id)
    assert [row["used"] for row in rows(they.alice, "/usage-reports")] == ["1Gi", "1"]
    assert [row["dimension"] for row in rows(they.bob, "/usage-reports")] == ["requests.memory"]
    assert [row["used"] for row in rows(they.alice, "/usage-reports", dimension="requests.cpu")] == ["1"]
    body = {"organization": cast.acme.public_id, "readings": {"cpu": "1"}, "reported_at": "2026-03-10T12:00:00Z"}
    assert code(send(they.alice, "post", "/usage-reports", body)) == (403, "forbidden")


def test_what_cannot_be_counted_is_named_where_it_stands(they: Clients, cast: Cast) -> None:
    at = "2026-03-10T12:00:00Z"
    good = {"organization": cast.acme.public_id, "readings": {"cpu": "1"}, "reported_at": at}
    theirs = open_project(cast.strangers, "Theirs", "theirs", at=BEGINNING)
    for wrong, said, pointer in (
        ({"readings": {"cpu": "NaN"}}, "quantity_invalid", "/readings/cpu"),
        ({"readings": {"pods": "1.5"}}, "quantity_invalid", "/readings/pods"),
        ({"readings": {"cpu": 1.5}}, "quantity_invalid", "/readings/cpu"),
        ({"readings": {"cpu": True}}, "quantity_invalid", "/readings/cpu"),
        ({"readings": {"a/b": "1"}}, "dimension_unknown", "/readings"),
        ({"readings": {}}, "empty", "/readings"),
        ({"readings": {"cpu": "1", "requests.cpu": "1"}}, "quantity_invalid", "/readings/requests.cpu"),
        ({"reported_at": "2999-01-01T00:00:00Z"}, "time_invalid", "/reported_at"),
        ({"organization": "org_0000000zzzzzz"}, "not_found", "/organization"),
        ({"project": theirs.public_id}, "not_found", "/project"),
        ({"project": "prj_0000000zzzzzz"}, "not_found", "/project"),
    ):
        before = row_counts()
        refused = send(platform(REPORT_USAGE), "post", "/usage-reports", {**good, **wrong})
        assert refused.json()["code"] == said, (wrong, refused.json())
        assert refused.json()["errors"][0]["pointer"] == pointer
        assert row_counts() == before


def test_a_project_s_quota_is_set_seen_and_removed(they: Clients, cast: Cast) -> None:
    url = f"/projects/{cast.project.public_id}/quota"
    tell_usage(cast, {"cpu": "5"}, project=cast.postpaid_project.public_id)
    tell_usage(cast, {"cpu": "1"}, project=cast.project.public_id)
    first = they.bob.get(f"/api/v1{url}")
    assert first.json()["quota"] is None
    assert first.json()["effective"]["requests.cpu"] == "3"
    assert first.json()["used"] == {"requests.cpu": "1"}
    wanted = {"quota": {"cpu": "4", "memory": "16Gi", "pods": 5}}
    assert code(send(they.bob, "put", url, wanted)) == (403, "forbidden")
    done = send(they.alice, "put", url, wanted, headers={"If-Match": first.headers["ETag"]})
    assert done.status_code == 200, done.json()
    assert done.json()["quota"] == {"requests.cpu": "4", "requests.memory": "16Gi", "pods": "5"}
    assert done.json()["organization_limits"]["requests.cpu"] == "8"
    assert done.json()["effective"]["requests.cpu"] == "3"
    assert done.json()["effective"]["requests.memory"] == "16Gi"
    assert AuditLog.objects.latest("pk").action == "project_quota.set"
    stale = send(they.alice, "put", url, wanted, headers={"If-Match": first.headers["ETag"]})
    assert code(stale) == (412, "version_mismatch")
    gone = send(they.alice, "delete", url)
    assert (gone.status_code, gone.content) == (204, b"")
    assert code(send(they.alice, "delete", url)) == (409, "not_set")
    for quota, said, pointer in (
        ({"cpu": "x"}, "quantity_invalid", "/quota/cpu"),
        ({"gpus": "1"}, "dimension_unknown", "/quota"),
        ({"external_ips": "1"}, "dimension_unknown", "/quota"),
        ({"cpu": None}, "field_null", "/quota/cpu"),
        ("4", "not_a_dict", "/quota"),
    ):
        refused = send(they.alice, "put", url, {"quota": quota})
        assert (refused.json()["code"], refused.json()["errors"][0]["pointer"]) == (said, pointer)
    assert not Limit.objects.filter(kind="project_quota").exists()
    for stranger in (f"/projects/{cast.project.public_id}/quota", "/projects/prj_0000000zzzzzz/quota"):
        assert they.charlie.get(f"/api/v1{stranger}").status_code == 404
        assert send(they.charlie, "put", stranger, wanted).status_code == 404
    assert queries(they.alice, url) <= 8


def test_what_fits_is_answered_without_a_trace(they: Clients, cast: Cast) -> None:
    tell_usage(cast, {"cpu": "6", "storage": "100Gi", "memory": "1Gi"})
    acme = cast.acme.public_id
    before = row_counts()

    def ask(client: object = they.alice, **body: object) -> dict[str, object]:
        answer = send(client, "post", "/quota-checks", {"organization": acme, **body})  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.json()
        return dict(answer.json())

    assert ask(wanted={"cpu": "2"}) == {"fits": True, "exceeded": [], "unknown": [], "held_back": ""}
    too_much = {"dimension": "requests.cpu", "limit": "8", "used": "6", "requested": "3"}
    assert ask(wanted={"cpu": 3})["exceeded"] == [too_much]
    assert ask(wanted={"pods": 1}) == {"fits": None, "exceeded": [], "unknown": ["pods"], "held_back": ""}
    assert ask(they.bob, wanted={"cpu": 3}, project=cast.project.public_id)["fits"] is False
    smaller = ask(plan="dev-pool")
    assert [one["dimension"] for one in smaller["exceeded"]] == ["requests.cpu", "requests.storage"]  # type: ignore[attr-defined]
    assert ask(plan="dev-pool", addons={"turbo-x1": 2})["exceeded"] == []
    assert row_counts() == before
    for body, said in (
        ({}, (422, "question_unclear")),
        ({"wanted": {"cpu": 1}, "plan": "dev-pool"}, (422, "question_unclear")),
        ({"plan": "none"}, (404, "unknown_item")),
        ({"plan": "dev-pool", "addons": {"turbo-x1": "1"}}, (422, "whole_number_expected")),
        ({"wanted": {"gpus": 1}}, (422, "dimension_unknown")),
        ({"wanted": {"cpu": 1}, "project": "prj_0000000zzzzzz"}, (404, "not_found")),
    ):
        assert code(send(they.alice, "post", "/quota-checks", {"organization": acme, **body})) == said, body
    assert code(send(they.bob, "post", "/quota-checks", {"organization": acme, "plan": "dev-pool"}))[0] == 403
    assert code(send(they.charlie, "post", "/quota-checks", {"organization": acme, "plan": "dev-pool"}))[0] == 404
