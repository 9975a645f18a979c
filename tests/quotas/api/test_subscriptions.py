"""Subscriptions over HTTP: what is held, what it costs, and what staff do about them."""

import pytest

from accounts.models import AuditLog
from quotas.models import Subscription
from tests.cast import Cast
from tests.quotas.api.scene import Clients, clients, code, queries, rows, send
from tests.quotas.plans import publish, subscribed
from tests.row_counts import row_counts

SUBSCRIPTIONS = "/subscriptions"


@pytest.fixture
def they(cast: Cast) -> Clients:
    publish()
    return clients(cast)


def test_a_plan_is_assigned_by_staff_and_seen_by_its_owner(they: Clients, cast: Cast) -> None:
    wanted = {
        "organization": cast.acme.public_id,
        "plan": "scale-pool",
        "addons": {"turbo-x1": 3, "turbo-x2": 2},
        "reason": "signed on paper",
    }
    for client in (they.alice, they.bob, they.charlie, they.erin):
        assert code(send(client, "post", SUBSCRIPTIONS, wanted)) == (403, "forbidden")
    dry = send(they.dana, "post", f"{SUBSCRIPTIONS}?dry_run=true", wanted)
    assert (dry.status_code, Subscription.objects.count()) == (201, 0)
    done = send(they.dana, "post", SUBSCRIPTIONS, wanted)
    assert done.status_code == 201, done.json()
    body = done.json()
    assert (body["status"], body["plan"], body["billing_account"]) == ("active", "scale-pool", None)
    assert body["cost"] == {"amount_minor": 15_800, "currency": "EUR", "interval": "month"}
    held = [(item["kind"], item["code"], item["quantity"], item["price"]["amount_minor"]) for item in body["items"]]
    assert held == [("plan", "scale-pool", 1, 9900), ("add-on", "turbo-x1", 3, 900), ("add-on", "turbo-x2", 2, 1600)]
    assert len(body["next_periods"]) == 3
    assert body["next_periods"][0]["start"] == body["period"]["end"] == body["moves_at"]
    assert they.alice.get(f"/api/v1{SUBSCRIPTIONS}/{body['id']}").json() == body
    assert rows(they.viewer, SUBSCRIPTIONS, plan="scale-pool", status="active") == [body]
    assert rows(they.charlie, SUBSCRIPTIONS) == []
    assert they.bob.get(f"/api/v1{SUBSCRIPTIONS}").status_code == 403
    assert they.charlie.get(f"/api/v1{SUBSCRIPTIONS}/{body['id']}").status_code == 404
    paid = {**wanted, "plan": "dev-pool", "addons": {}, "billing_account": cast.prepaid.public_id}
    again = send(they.dana, "post", SUBSCRIPTIONS, paid)
    assert (again.status_code, again.json()["id"]) == (200, body["id"])
    assert again.json()["cost"] == {"amount_minor": 2000, "currency": "USD", "interval": "month"}
    assert AuditLog.objects.latest("pk").actor == cast.dana


def test_what_cannot_be_assigned_is_refused(they: Clients, cast: Cast) -> None:
    wanted = {"organization": cast.acme.public_id, "plan": "dev-pool", "reason": "signed on paper"}
    for wrong, said in (
        ({"plan": "none"}, (404, "unknown_item")),
        ({"addons": {"none": 1}}, (404, "unknown_item")),
        ({"addons": {"turbo-x1": -1}}, (422, "min_value")),
        ({"addons": {"turbo-x1": 100_001}}, (422, "quantity_invalid")),
        ({"billing_account": cast.foreign.public_id}, (404, "not_found")),
        ({"billing_account": "ba_0000000zzzzzz"}, (404, "not_found")),
        ({"organization": "org_0000000zzzzzz"}, (404, "not_found")),
        ({"interval": "year"}, (409, "no_price")),
        ({"interval": "decade"}, (422, "invalid_choice")),
        ({"time_zone": "Mars/Olympus"}, (422, "time_zone_unknown")),
        ({"reason": " "}, (422, "reason_required")),
        ({"status": "active"}, (422, "unknown_field")),
    ):
        before = row_counts()
        refused = send(they.dana, "post", SUBSCRIPTIONS, {**wanted, **wrong})
        assert code(refused) == said, (wrong, refused.json())
        assert row_counts() == before


def test_staff_move_a_subscription_from_where_it_stands(they: Clients, cast: Cast) -> None:
    found = subscribed(cast.alice, "active")
    steps = (
        *(("overdue", "past_due"), ("paid", "active"), ("cancel", "canceling"), ("keep", "active")),
        *(("suspend", "suspended"), ("resubscribe", "active")),
    )
    for name, status in steps:
        url = f"{SUBSCRIPTIONS}/{found.public_id}/{name}"
        assert code(send(they.erin, "post", url, {"reason": "as agreed"})) == (403, "forbidden")
        done = send(they.dana, "post", url, {"reason": "as agreed"})
        assert (done.status_code, done.json()["status"]) == (200, status), (name, done.json())
        assert AuditLog.objects.filter(action=f"subscription.{status}").latest("pk").reason == "as agreed"
        if name != "suspend":
            assert code(send(they.dana, "post", url, {"reason": "again"})) == (409, "wrong_status")
    assert code(send(they.dana, "post", f"{SUBSCRIPTIONS}/{found.public_id}/cancel")) == (422, "field_required")
    assert send(they.dana, "post", f"{SUBSCRIPTIONS}/{found.public_id}/explode").status_code == 404


def test_a_page_asks_as_often_for_many_as_for_one(they: Clients, cast: Cast) -> None:
    subscribed(cast.alice, "active")
    one = queries(they.dana, SUBSCRIPTIONS)
    for status in ("canceling", "past_due", "suspended"):
        subscribed(cast.alice, status)
    assert queries(they.dana, SUBSCRIPTIONS) == one <= 8
