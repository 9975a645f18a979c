"""001-04 … 001-06, 001-15 … 001-28, 001-37, 001-38, 002-01 as a console and a platform see them: /api/v1 alone."""

from typing import Any

import pytest

from accounts import clock
from accounts.abilities import REPORT_USAGE
from accounts.closing import close_organization
from quotas import limits as quota_limits
from tests.cast import NOON, Cast
from tests.quotas.api.callers import platform
from tests.quotas.api.scene import Clients, clients, code, rows, send
from tests.quotas.plans import addon, catalog_document, plan, publish
from tests.quotas.subscription_scene import BY, one_person_publishes

PRO = {"requests.cpu": "8", "requests.memory": "24Gi", "requests.storage": "160Gi", "pods": "200"}


@pytest.fixture
def they(cast: Cast) -> Clients:
    publish()
    one_person_publishes()
    return clients(cast)


def assign(they: Clients, cast: Cast, wanted: str, **addons: int) -> dict[str, Any]:
    named = {code.replace("_", "-"): count for code, count in addons.items()}
    body = {"organization": cast.acme.public_id, "plan": wanted, "addons": named, "reason": "as agreed"}
    done = send(they.dana, "post", "/subscriptions", body)
    assert done.status_code in (200, 201), done.json()
    found: dict[str, Any] = done.json()
    return found


def move(they: Clients, subscription: dict[str, Any], name: str) -> str:
    done = send(they.dana, "post", f"/subscriptions/{subscription['id']}/{name}", {"reason": "as agreed"})
    assert done.status_code == 200, done.json()
    return str(done.json()["status"])


def values(they: Clients, kind: str = "hierarchical_resource_quota") -> dict[str, str] | None:
    """Of Acme's limit of that kind, as its owner sees it."""
    found = rows(they.alice, "/limits", kind=kind)
    return found[0]["values"] if found else None


def quota(they: Clients) -> dict[str, str]:
    found = values(they)
    assert found is not None
    return {name: found[name] for name in PRO}


def test_001_04_plans_are_listed_in_order_with_price_and_recommendation(they: Clients) -> None:
    told = [(row["code"], row["prices"][0]["amount_minor"], row["recommended"]) for row in rows(they.bob, "/plans")]
    assert told == [("dev-pool", 1900, False), ("pro-pool", 4900, True), ("scale-pool", 9900, False)]


def test_001_05_a_plan_that_is_not_for_self_service_is_hidden_and_assignable(they: Clients, cast: Cast) -> None:
    assert "lab" not in [row["code"] for row in rows(they.alice, "/plans")]
    assert assign(they, cast, "lab")["plan"] == "lab"
    assert quota(they)["requests.cpu"] == "1"


def test_001_06_an_add_on_that_is_switched_off_grants_nothing(they: Clients, cast: Cast) -> None:
    assign(they, cast, "pro-pool", turbo_x1=1)
    assert quota(they)["requests.cpu"] == "10"
    publish(catalog_document(addons={"turbo-x1": addon(displayName="Turbo x1", disabled=True)}))
    quota_limits.drain(NOON)
    assert quota(they) == PRO
    assert rows(they.alice, "/addons") == []


def test_001_15_to_17_limits_follow_plan_and_add_ons(they: Clients, cast: Cast) -> None:
    assign(they, cast, "dev-pool")
    assert quota(they)["requests.cpu"] == "4"
    assign(they, cast, "pro-pool")
    assert quota(they) == PRO
    (row,) = rows(they.alice, "/limits", kind="hierarchical_resource_quota")
    assert (row["name"], row["labels"]["billing.kube-dc.com/plan-id"]) == ("plan-quota", "pro-pool")
    assert (values(they, "limit_range") or {})["maxCPU"] == "8"
    assign(they, cast, "pro-pool", turbo_x1=1)
    assert [quota(they)[name] for name in ("requests.cpu", "requests.memory", "requests.storage")] == [
        *("10", "28Gi", "180Gi")
    ]


def test_001_18_and_19_overhead_and_burst_are_asked_before_they_are_bought(they: Clients, cast: Cast) -> None:
    overhead = {"cpuPerProject": "100m", "memPerProject": "128Mi"}
    bursting = {"pro-pool": plan("8", "24Gi", "160Gi", burstRatio=2)}
    publish(catalog_document(systemOverhead=overhead, plans=bursting, eipQuota={}))
    asked = send(they.bob, "post", "/plans/pro-pool/quota", {"addons": {"turbo-x1": 1}, "projects_limit": 3}).json()
    assert asked["requests"] == {"cpu": "10300m", "memory": "29056Mi", "storage": "180Gi"}
    assert asked["limits"] == {"cpu": "20600m", "memory": "58112Mi"}


def test_001_20_to_23_limits_follow_the_state(they: Clients, cast: Cast) -> None:
    held = assign(they, cast, "pro-pool")
    for name in ("overdue", "paid", "cancel", "keep"):
        move(they, held, name)
        assert quota(they) == PRO, name
    assert move(they, held, "suspend") == "suspended"
    assert (quota(they)["requests.cpu"], quota(they)["requests.memory"], quota(they)["pods"]) == ("500m", "1Gi", "10")
    assert values(they, "object_storage") == {"gigabytes": "0"}
    check = send(they.alice, "post", "/quota-checks", {"organization": cast.acme.public_id, "wanted": {"cpu": "1m"}})
    assert (check.json()["fits"], check.json()["held_back"]) == (False, "the organization is restricted")
    assert move(they, held, "resubscribe") == "active"
    assert quota(they) == PRO


def test_001_24_and_25_without_a_plan_or_an_organization_there_is_no_limit(they: Clients, cast: Cast) -> None:
    assert rows(they.alice, "/limits") == []
    used = they.alice.get(f"/api/v1/organizations/{cast.acme.public_id}/usage").json()["dimensions"]
    assert {row["limit"] for row in used} == {None}
    body = {"organization": cast.strangers.public_id, "plan": "dev-pool", "reason": "as agreed"}
    assert send(they.dana, "post", "/subscriptions", body).status_code == 201
    assert rows(they.charlie, "/limits")
    close_organization(cast.strangers.pk, at=clock.now(), **BY)
    assert rows(they.dana, "/limits", organization=cast.strangers.public_id) == []


def test_001_27_the_second_public_address_is_refused_and_cloud_ones_are_not(they: Clients, cast: Cast) -> None:
    def hold(name: str, kind: str) -> Any:
        wanted = {"organization": cast.acme.public_id, "name": name, "network_type": kind}
        return send(they.alice, "post", "/external-ips", wanted)

    assign(they, cast, "pro-pool")
    assert hold("web", "public").status_code == 201
    refused = hold("mail", "public")
    assert code(refused) == (409, "eip_quota_exceeded")
    assert "all 1 public addresses" in refused.json()["detail"]
    assert [hold(f"inside-{number}", "cloud").status_code for number in range(3)] == [201] * 3
    assign(they, cast, "lab")  # which eipQuota does not name
    assert [hold(f"more-{number}", "public").status_code for number in range(3)] == [201] * 3


def test_001_28_unknown_storage_is_null_and_not_zero(they: Clients, cast: Cast) -> None:
    assign(they, cast, "pro-pool")
    report = {"organization": cast.acme.public_id, "reported_at": "2026-03-10T12:00:00Z"}
    shown = []
    for reading in (None, "0", "12.5"):
        body = {**report, "readings": {"object_storage": reading}}
        assert send(platform(REPORT_USAGE), "post", "/usage-reports", body).status_code == 200
        usage = they.alice.get(f"/api/v1/organizations/{cast.acme.public_id}/usage").json()["dimensions"]
        shown += [(row["used"], row["limit"]) for row in usage if row["dimension"] == "object_storage"]
    assert shown == [(None, "100"), ("0", "100"), ("12500m", "100")]


def test_001_37_the_smaller_of_project_and_organization_holds(they: Clients, cast: Cast) -> None:
    assign(they, cast, "pro-pool")
    url = f"/projects/{cast.project.public_id}/quota"
    assert send(they.alice, "put", url, {"quota": {"cpu": "2"}}).json()["effective"]["requests.cpu"] == "2"
    assert send(they.alice, "put", url, {"quota": {"cpu": "99"}}).json()["effective"]["requests.cpu"] == "8"


def test_001_38_a_month_costs_the_plan_and_its_add_ons(they: Clients, cast: Cast) -> None:
    held = assign(they, cast, "scale-pool", turbo_x1=3, turbo_x2=2)
    (row,) = rows(they.alice, "/subscriptions")
    assert row["cost"] == held["cost"] == {"amount_minor": 15_800, "currency": "EUR", "interval": "month"}
    assert [quota(they)[name] for name in ("requests.cpu", "requests.memory", "requests.storage")] == [
        *("30", "84Gi", "460Gi")
    ]


def test_002_01_a_new_price_is_for_newcomers(they: Clients, cast: Cast) -> None:
    assign(they, cast, "pro-pool")
    plans = catalog_document()["plans"]
    publish(catalog_document(plans={**plans, "pro-pool": {**plans["pro-pool"], "price": 59}}))
    sold = they.alice.get("/api/v1/plans/pro-pool").json()
    assert (sold["version"], sold["prices"][0]["amount_minor"]) == (2, 5900)
    (row,) = rows(they.alice, "/subscriptions")
    assert (row["cost"]["amount_minor"], row["items"][0]["version"]) == (4900, 1)
