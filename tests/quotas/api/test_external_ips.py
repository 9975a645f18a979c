"""Addresses over HTTP: public ones up to the plan's number, others as many as wanted."""

import pytest

from quotas.models import ExternalIp
from tests.cast import Cast
from tests.quotas.api.scene import Clients, clients, code, plan_of_acme, queries, rows, send
from tests.row_counts import row_counts

IPS = "/external-ips"


@pytest.fixture
def they(cast: Cast) -> Clients:
    plan_of_acme(cast)
    return clients(cast)


def test_an_address_is_held_found_and_given_back(they: Clients, cast: Cast) -> None:
    wanted = {"organization": cast.acme.public_id, "name": "web", "network_type": "public"}
    dry = send(they.alice, "post", f"{IPS}?dry_run=true", wanted)
    assert (dry.status_code, ExternalIp.objects.count()) == (201, 0)
    held = send(they.alice, "post", IPS, {**wanted, "project": cast.project.public_id})
    assert held.status_code == 201, held.json()
    body = held.json()
    assert (body["project"], body["network_type"], body["released_at"]) == (cast.project.public_id, "public", None)
    assert they.bob.get(f"/api/v1{IPS}/{body['id']}").json() == body
    before = row_counts()
    assert code(send(they.alice, "post", IPS, {**wanted, "name": "mail"})) == (409, "eip_quota_exceeded")
    assert row_counts() == before
    inside = {**wanted, "name": "inside", "network_type": "cloud", "project": cast.project.public_id}
    assert send(they.bob, "post", IPS, inside).status_code == 201
    assert code(send(they.bob, "post", IPS, inside)) == (409, "name_taken")
    assert code(send(they.alice, "post", IPS, {**wanted, "network_type": "lan"})) == (422, "network_type_unknown")
    assert code(send(they.alice, "post", IPS, {**wanted, "name": ""})) == (422, "blank")
    assert [row["name"] for row in rows(they.bob, IPS, held="true")] == ["inside", "web"]
    assert [row["name"] for row in rows(they.bob, IPS, network_type="cloud")] == ["inside"]
    back = send(they.bob, "delete", f"{IPS}/{body['id']}")
    assert back.json()["released_at"] is not None
    assert code(send(they.bob, "delete", f"{IPS}/{body['id']}")) == (409, "already_released")
    assert [row["name"] for row in rows(they.alice, IPS, held="false")] == ["web"]
    assert queries(they.alice, IPS) <= 2


def test_addresses_of_others_are_nobody_s_business(they: Clients, cast: Cast) -> None:
    wanted = {"organization": cast.acme.public_id, "name": "web", "network_type": "cloud"}
    own = send(they.alice, "post", IPS, wanted).json()["id"]
    assert code(send(they.bob, "post", IPS, {**wanted, "name": "b"})) == (403, "forbidden")
    assert code(send(they.viewer, "post", IPS, {**wanted, "name": "b"})) == (403, "forbidden")
    for client in (they.charlie, they.bob):
        for name in (own, "eip_0000000zzzzzz"):
            assert client.get(f"/api/v1{IPS}/{name}").status_code == 404
            assert code(send(client, "delete", f"{IPS}/{name}")) == (404, "not_found")
        assert rows(client, IPS) == []
    hidden = {**wanted, "project": cast.postpaid_project.public_id}
    assert code(send(they.bob, "post", IPS, hidden)) == (404, "not_found")
    assert code(send(they.charlie, "post", IPS, wanted)) == (404, "not_found")
