"""Staff keep the price book and the catalog over HTTP, by the acts of the back office."""

from typing import Any

import pytest

from accounts.clock import now
from accounts.models import AuditLog
from quotas.models import CatalogVersion, Meter
from tests.cast import Cast
from tests.quotas.api.scene import Clients, clients, code, send
from tests.quotas.offer_scene import PriceBook, set_price_book
from tests.quotas.plans import catalog_document, publish
from tests.row_counts import row_counts

WHY = {"reason": "the desk decided so"}


@pytest.fixture
def book(cast: Cast) -> PriceBook:
    return set_price_book(cast, now())


@pytest.fixture
def they(cast: Cast) -> Clients:
    return clients(cast)


def done(they: Clients, cast: Cast, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """By the operator, after others were refused."""
    before = row_counts()
    for client in (they.alice, they.erin):
        assert code(send(client, method, path, {**body, **WHY})) == (403, "forbidden")
    dry = send(they.dana, method, f"{path}?dry_run=true", {**body, **WHY})
    assert row_counts() == before
    real = send(they.dana, method, path, {**body, **WHY})
    assert real.status_code == dry.status_code in (200, 201), real.json()
    row = AuditLog.objects.latest("pk")
    assert (row.actor, row.reason) == (cast.dana, WHY["reason"])
    found: dict[str, Any] = real.json()
    return found


def test_meters(book: PriceBook, they: Clients, cast: Cast) -> None:
    wanted = {"name": "net.bytes", "display_name": "Traffic", "unit": "By", "aggregation": "Sum"}
    meter = done(they, cast, "post", "/meters", wanted)
    assert (meter["phase"], meter["dimensions"]) == ("Draft", [])
    again = send(they.dana, "post", "/meters", {**wanted, **WHY})
    assert again.status_code == 409
    url = f"/meters/{meter['id']}"
    assert done(they, cast, "post", f"{url}/dimensions", {"dimensions": ["region"]})["dimensions"] == ["region"]
    assert done(they, cast, "post", f"{url}/advance", {})["phase"] == "Published"
    assert code(send(they.dana, "post", f"{url}/dimensions", {"dimensions": ["a b"], **WHY})) == (422, "meter_invalid")
    assert code(send(they.dana, "post", "/meters/mtr_0000000zzzzzz/advance", WHY)) == (404, "not_found")
    assert Meter.objects.get(name="net.bytes").phase == "Published"


def test_prices_and_offers(book: PriceBook, they: Clients, cast: Cast) -> None:
    wanted = {"code": "gpu-eur", "charge_type": "Usage", "currency": "EUR", "document": {"flat": "2.20"}}
    price = done(they, cast, "post", "/prices", {**wanted, "metric": "gpu.hours"})
    assert (price["document"], price["metric"]) == ({"flat": "2.20"}, "gpu.hours")
    for wrong, said in (
        ({"document": {"flat": 2.2}}, "decimal_expected"),
        ({"document": []}, "object_expected"),
        ({"document": {"flat": "x"}}, "not_a_number"),
        ({"metric": "none"}, "not_found"),
        ({"billing_account": "ba_0000000zzzzzz"}, "not_found"),
        ({"charge_type": "Rent"}, "charge_type_invalid"),
    ):
        before = row_counts()
        refused = send(they.dana, "post", "/prices", {**wanted, "metric": "gpu.hours", **wrong, **WHY})
        assert refused.status_code in (404, 422), (wrong, refused.json())
        assert said == "not_a_number" or refused.json()["code"] == said, (wrong, refused.json())
        assert row_counts() == before
    drafted = {"code": "small", "display_name": "Small", "charge_types": ["Usage"], "prices": [price["id"]]}
    offer = done(they, cast, "post", "/offers", drafted)
    unknown = send(they.dana, "post", "/offers", {**drafted, "prices": ["prc_0000000zzzzzz"], **WHY})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (404, "/prices/0")
    published = done(they, cast, "post", f"/offers/{offer['id']}/publish", {})
    assert (published["launch_stage"], list(published["snapshot"])) == ("GA", ["EUR"])
    assert code(send(they.dana, "post", f"/offers/{offer['id']}/publish", WHY)) == (409, "offer_published")
    renamed = done(they, cast, "post", f"/offers/{offer['id']}/rename", {"display_name": "Small 2026"})
    assert renamed["display_name"] == "Small 2026"


def test_segments(book: PriceBook, they: Clients, cast: Cast) -> None:
    done(they, cast, "post", "/segments", {"code": "uni", "name": "Universities"})
    url = f"/billing-accounts/{cast.prepaid.public_id}/segment"
    assert done(they, cast, "put", url, {"segment": "uni"})["segment"] == "uni"
    assert they.erin.get(f"/api/v1{url}").json()["segment"] == "uni"
    assert they.alice.get(f"/api/v1{url}").status_code == 403
    assert code(send(they.dana, "put", url, {"segment": "uni", **WHY})) == (409, "already_there")
    assert done(they, cast, "put", url, {"segment": None})["segment"] is None
    assert code(send(they.dana, "put", url, {"segment": "none", **WHY})) == (404, "not_found")


def test_a_catalog_is_taken_whole_or_refused_with_every_fault(they: Clients, cast: Cast) -> None:
    publish()
    document = catalog_document(suspendedPlan={"cpu": "250m", "memory": "1Gi", "pods": 5, "servicesLB": 0})
    for client in (they.alice, they.erin):
        assert code(send(client, "post", "/catalogs", {"document": document})) == (403, "forbidden")
    draft = send(they.dana, "post", "/catalogs", {"document": document})
    assert (draft.status_code, draft.json()["state"]) == (201, "draft"), draft.json()
    assert draft.json()["document"]["suspendedPlan"]["pods"] == 5
    assert code(send(they.dana, "post", "/catalogs", {"document": catalog_document()})) == (409, "catalog_unchanged")
    broken = catalog_document(suspendedPlan={})
    broken.pop("eipQuota")
    before = row_counts()
    refused = send(they.dana, "post", "/catalogs", {"document": broken})
    assert refused.status_code == 422
    assert {fault["pointer"] for fault in refused.json()["errors"]} >= {"/eipQuota", "/suspendedPlan/cpu"}
    assert row_counts() == before
    gone = done(they, cast, "post", f"/catalogs/{draft.json()['id']}/discard", {})
    assert (gone["state"], CatalogVersion.objects.filter(state="published").count()) == ("discarded", 1)
