"""Plans, add-ons and whole catalogs over HTTP."""

import pytest

from accounts.models import ApprovalRequest
from quotas.catalog.document import parse
from quotas.catalog_drafts import open_draft
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.api.scene import Clients, clients, code, queries, rows, send
from tests.quotas.plans import addon, another_document, catalog_document, publish


@pytest.fixture
def they(cast: Cast) -> Clients:
    return clients(cast)


def test_before_the_first_catalog_there_are_no_plans(they: Clients) -> None:
    assert rows(they.alice, "/plans") == rows(they.dana, "/addons") == []
    assert they.alice.get("/api/v1/plans/dev-pool").status_code == 404


def test_a_customer_is_shown_what_may_be_chosen(they: Clients) -> None:
    hidden = addon(displayName="Shared GPU", disabled=True, selfService=False)
    publish(catalog_document(addons={"turbo-x1": addon(), "gpu": hidden}, eipQuota={"dev-pool": 1}))
    dev, pro, scale = rows(they.bob, "/plans")
    assert [one["code"] for one in (dev, pro, scale)] == ["dev-pool", "pro-pool", "scale-pool"]
    assert [row["code"] for row in rows(they.dana, "/plans")][-1] == "lab"
    assert pro["prices"] == [
        {"amount_minor": 4900, "currency": "EUR", "interval": "month"},
        {"amount_minor": 2000, "currency": "USD", "interval": "month"},
    ]
    assert (pro["name"], pro["recommended"], pro["version"]) == ("Pro Pool", True, 1)
    assert pro["resources"] == {"cpu": "8", "memory": "24Gi", "storage": "160Gi"}
    assert (pro["burst_ratio"], pro["object_storage_gb"], pro["external_ips"], dev["external_ips"]) == (
        "1",
        "100",
        None,
        1,
    )
    assert pro["limit_range"]["default_cpu"] == "500m"
    assert they.bob.get("/api/v1/plans/pro-pool").json() == they.bob.get(f"/api/v1/plans/{pro['id']}").json() == pro
    assert they.bob.get("/api/v1/plans/lab").status_code == 404
    assert they.dana.get("/api/v1/plans/lab").json()["self_service"] is False
    assert [row["code"] for row in rows(they.bob, "/addons")] == ["turbo-x1"]
    assert they.dana.get("/api/v1/addons/gpu").json()["disabled"] is True
    assert they.bob.get("/api/v1/addons/gpu").status_code == 404
    first = they.bob.get("/api/v1/plans", {"limit": "2"}).json()
    assert [row["code"] for row in rows(they.bob, "/plans", cursor=first["next_cursor"])] == ["scale-pool"]
    assert queries(they.bob, "/plans") <= 2


def test_what_a_plan_would_give_and_cost(they: Clients) -> None:
    publish(another_document())
    asked = send(they.bob, "post", "/plans/pro-pool/quota", {"addons": {"turbo-x1": 1}, "projects_limit": 3})
    assert asked.status_code == 200, asked.json()
    assert asked.json()["requests"] == {"cpu": "10300m", "memory": "29056Mi", "storage": "180Gi"}
    assert asked.json()["price"] == {"amount_minor": 5800, "currency": "EUR", "interval": "month"}
    assert code(send(they.bob, "post", "/plans/pro-pool/quota", {"addons": {"none": 1}})) == (404, "unknown_item")
    assert code(send(they.bob, "post", "/plans/lab/quota")) == (404, "not_found")


def test_catalogs_are_for_staff_and_published_by_two(they: Clients, cast: Cast) -> None:
    publish()
    draft = open_draft(parse(another_document()), source="plans.yaml", actor=ACTOR, at=NOON)
    for path in ("/catalogs", f"/catalogs/{draft.public_id}"):
        assert they.alice.get(f"/api/v1{path}").status_code == 403
        assert they.erin.get(f"/api/v1{path}").status_code == 200
    assert [row["state"] for row in rows(they.dana, "/catalogs")] == ["draft", "published"]
    (in_force,) = rows(they.dana, "/catalogs", state="published")
    assert (in_force["number"], "document" in in_force) == (1, False)
    whole = they.dana.get(f"/api/v1/catalogs/{draft.public_id}").json()
    assert (whole["based_on"], whole["document"]["systemOverhead"]["cpuPerProject"]) == (in_force["id"], "100m")
    url, wanted = f"/catalogs/{draft.public_id}/publish", {"existing": "keep", "reason": "more room"}
    for client in (they.alice, they.erin):
        assert code(send(client, "post", url, wanted)) == (403, "forbidden")
    assert code(send(they.dana, "post", url, {**wanted, "existing": "drop"})) == (422, "existing_unknown")
    waiting = send(they.dana, "post", url, wanted)
    assert (waiting.status_code, waiting.json()["approval"]["id"]) == (202, ApprovalRequest.objects.get().public_id)
