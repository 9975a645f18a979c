"""001-04 … 001-06, 001-10, 001-28, 001-33, 001-37, 001-38 over the console's calls."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.lifecycle import open_project
from accounts.models import AuditLog, Organization
from ledger import accrual
from quotas.allocations import start
from quotas.external_ips import hold_address
from quotas.models import Limit, LimitKind, Subscription
from tests.billing_site.console.scene import let_in, refusal, reported, signed_in
from tests.cast import ACTOR, NOON, Cast
from tests.funding import fund
from tests.quotas.plans import addon, catalog_document, plan, publish
from tests.quotas.subscription_scene import assign, move, one_person_publishes
from tests.row_counts import row_counts

BILLING = "/api/billing"
QUOTA = "/api/manage-organization/projects/{}/quota"


@pytest.fixture
def acme(cast: Cast) -> Organization:
    publish()
    return cast.acme


@pytest.fixture
def alice(cast: Cast) -> Client:
    return signed_in(cast.alice)


def data(client: Client, path: str) -> Any:
    answer = client.get(f"{BILLING}/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def simulate(client: Client, **body: Any) -> Any:
    return client.post(f"{BILLING}/simulate-downgrade", body, content_type="application/json")


def put(client: Client, project: str, **body: Any) -> Any:
    return client.put(QUOTA.format(project), body, content_type="application/json")


def test_001_04_plans_are_those_of_the_catalog_in_its_order(acme: Organization, alice: Client) -> None:
    found = data(alice, "plans")
    told = [(row["id"], row["name"], row["price"], row["currency"], row["recommended"]) for row in found]
    assert told == [
        ("dev-pool", "Dev Pool", 19, "EUR", False),
        ("pro-pool", "Pro Pool", 49, "EUR", True),
        ("scale-pool", "Scale Pool", 99, "EUR", False),
    ]
    assert [row["resources"] for row in found] == [
        {"cpu": 4, "memory": 8, "storage": 60},
        {"cpu": 8, "memory": 24, "storage": 160},
        {"cpu": 16, "memory": 56, "storage": 320},
    ]
    assert [(row["pods"], row["servicesLB"], row["objectStorage"], row["eipQuota"]) for row in found] == [
        (100, 100, 20, 1),
        (200, 100, 100, 1),
        (500, 100, 500, 3),
    ]
    assert {row["burstRatio"] for row in found} == {1}


def test_001_04_before_the_first_catalog_there_is_nothing_to_choose(cast: Cast, alice: Client) -> None:
    assert (data(alice, "plans"), data(alice, "addons")) == ([], [])
    assert simulate(alice, planId="pro-pool").status_code == 409


def test_001_05_what_is_not_for_self_service_is_hidden_and_can_be_assigned(acme: Organization, alice: Client) -> None:
    assert "lab" not in [row["id"] for row in data(alice, "plans")]
    assign(acme, "lab")
    found = data(alice, "organization-subscription")
    assert (found["planId"], found["planName"]) == ("lab", "Lab")
    assert found["resources"] == {"cpu": 1, "memory": 1, "storage": 5}


def test_001_06_an_add_on_that_is_switched_off_is_hidden_and_grants_nothing(cast: Cast, alice: Client) -> None:
    publish()
    one_person_publishes()
    assign(cast.acme, "pro-pool", {"turbo-x1": 1})
    assert [(row["id"], row["price"]) for row in data(alice, "addons")] == [("turbo-x1", 9), ("turbo-x2", 16)]
    assert data(alice, "addons")[0]["resources"] == {"cpu": 2, "memory": 4, "storage": 20}
    switched = {"turbo-x1": addon(displayName="Turbo x1", disabled=True), "turbo-x2": addon("4", "8Gi", "40Gi")}
    publish(catalog_document(addons=switched), maker=cast.dana)
    assert [row["id"] for row in data(alice, "addons")] == ["turbo-x2"]
    found = data(alice, "organization-subscription")
    assert found["resources"] == {"cpu": 8, "memory": 24, "storage": 160}
    assert found["addons"] == [{"addonId": "turbo-x1", "quantity": 1}]


def test_001_10_usage_is_what_was_reported_and_unknown_is_null(acme: Organization, alice: Client) -> None:
    assign(acme, "pro-pool", {"turbo-x1": 1})
    unknown = data(alice, "organization-subscription")["usage"]
    assert unknown["cpu"] == {"used": None, "limit": 10}
    reported(acme)
    assert data(alice, "organization-subscription")["usage"] == {
        "cpu": {"used": 4.2, "limit": 10},
        "memory": {"used": 12.5, "limit": 28},
        "storage": {"used": 45, "limit": 180},
        "pods": {"used": 23, "limit": 200},
    }


def test_001_10_without_a_plan_nothing_is_limited(acme: Organization, alice: Client) -> None:
    found = data(alice, "organization-subscription")
    assert (found["planId"], found["planName"], found["status"], found["addons"]) == (None, None, None, [])
    assert found["resources"] == {"cpu": None, "memory": None, "storage": None}
    assert {row["limit"] for row in found["usage"].values()} == {None}
    status = data(alice, "quota-status")
    assert (status["quotaEnforced"], status["hrq"]["exists"], status["limitRange"]["exists"]) == (False, False, False)


def test_001_20_suspended_shows_the_plan_and_what_is_left_of_it(acme: Organization, alice: Client) -> None:
    move(assign(acme, "pro-pool", {"turbo-x1": 1}), "suspended")
    found = data(alice, "organization-subscription")
    assert (found["status"], found["resources"]["cpu"]) == ("suspended", 10)
    assert (found["usage"]["cpu"]["limit"], found["usage"]["storage"]["limit"]) == (0.5, 0)
    status = data(alice, "quota-status")
    assert (status["status"], status["level"], status["quotaEnforced"]) == ("suspended", "restricted", True)


def test_001_28_object_storage_is_the_plan_s_none_when_suspended_and_unknown_is_not_zero(
    cast: Cast, acme: Organization, alice: Client
) -> None:
    subscription = assign(acme, "pro-pool")
    hold_address(acme, "front", "public", actor=ACTOR, at=NOON)
    hold_address(acme, "inner", "cloud", actor=ACTOR, at=NOON)
    usage = data(alice, "quota-usage")["usage"]
    assert usage["objectStorage"] == {"used": None, "limit": 100}
    assert usage["publicIPv4"] == {"used": 1, "limit": 1}
    reported(acme, object_storage="0")
    reported(acme, cast.project, cpu="1500m", memory="1Gi")
    found = data(alice, "quota-usage")
    assert found["usage"]["objectStorage"] == {"used": 0, "limit": 100}
    assert found["projects"] == [
        {"namespace": "acme-serving", "usage": {"cpu": None, "memory": None, "storage": None, "pods": None}},
        {"namespace": "acme-training", "usage": {"cpu": 1.5, "memory": 1, "storage": None, "pods": None}},
    ]
    assert found["lastUpdated"] == "2026-03-10T12:00:00Z"
    move(subscription, "suspended")
    assert data(alice, "quota-usage")["usage"]["objectStorage"]["limit"] == 0


def test_001_33_a_downgrade_is_tried_dimension_by_dimension(acme: Organization, alice: Client) -> None:
    assign(acme, "pro-pool", {"turbo-x1": 1})
    assert simulate(alice, planId="dev-pool").json()["data"]["fits"] is None
    known: dict[str, object] = {"limits.cpu": "7", "limits.memory": "1Gi", "services.loadbalancers": "0"}
    reported(acme, cpu="7", memory="12800Mi", storage="45Gi", pods="101", object_storage="20", **known)
    before = row_counts()
    found = simulate(alice, planId="dev-pool", addons=[]).json()["data"]
    assert row_counts() == before
    assert (found["planName"], found["fits"], found["unknown"]) == ("Dev Pool", False, [])
    assert found["exceeded"] == [
        {"resource": "cpu", "used": 7, "limit": 4},
        {"resource": "memory", "used": 12.5, "limit": 8},
        {"resource": "limitsCpu", "used": 7, "limit": 4},
        {"resource": "pods", "used": 101, "limit": 100},
    ]
    kept = simulate(alice, planId="dev-pool").json()["data"]  # with the add-on that is held
    assert [row["resource"] for row in kept["exceeded"]] == ["cpu", "memory", "limitsCpu", "pods"]
    assert kept["exceeded"][0] == {"resource": "cpu", "used": 7, "limit": 6}
    assert simulate(alice, planId="scale-pool").json()["data"]["fits"] is True


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"planId": "huge"}, 404),
        ({"planId": 7}, 400),
        ({"planId": "pro-pool", "addons": [{"addonId": "turbo-x9", "quantity": 1}]}, 404),
        ({"planId": "pro-pool", "addons": [{"addonId": "turbo-x1", "quantity": 0}]}, 400),
        ({"planId": "pro-pool", "addons": [{"addonId": "turbo-x1", "quantity": 1.5}]}, 400),
        ({"planId": "pro-pool", "addons": "turbo-x1"}, 400),
        ({"planId": "pro-pool", "addons": [{"addonId": "turbo-x1", "quantity": 2**31 - 1}]}, 400),
    ],
)
def test_001_33_a_question_that_cannot_be_read_is_refused(
    acme: Organization, alice: Client, body: dict[str, Any], status: int
) -> None:
    assert refusal(simulate(alice, **body))[0] == status


def test_001_37_a_project_s_own_quota_is_set_read_and_removed(cast: Cast, acme: Organization, alice: Client) -> None:
    assign(acme, "pro-pool")
    page = QUOTA.format("acme-training")
    assert alice.get(page).json()["data"]["quota"] is None
    found = put(alice, "acme-training", cpu=2.5, memory=4, storage="200Gi", pods=10).json()["data"]
    assert found["quota"] == {"cpu": 2.5, "memory": 4, "storage": 200, "pods": 10}
    assert found["effective"] == {"cpu": 2.5, "memory": 4, "storage": 160, "pods": 10}  # the smaller of the two
    kept = Limit.objects.get(project=cast.project, kind=LimitKind.PROJECT_QUOTA)
    assert kept.values == {
        "requests.cpu": "2500m",
        "requests.memory": "4Gi",
        "requests.storage": "200Gi",
        "pods": "10",
    }
    assert AuditLog.objects.filter(action="project_quota.set", actor=cast.alice).count() == 1
    assert data(alice, "project/training/overview")["usage"]["cpu"] == {"used": None, "limit": 2.5}
    assert [row["perProjectQuotaSet"] for row in data(alice, "projects")] == [False, True]
    assert alice.delete(page).json()["data"]["quota"] is None
    assert refusal(alice.delete(page))[2]["code"] == "not_set"
    assert not Limit.objects.filter(kind=LimitKind.PROJECT_QUOTA).exists()


def test_001_37_members_read_it_admins_set_it_others_see_nothing(cast: Cast, acme: Organization) -> None:
    let_in(cast, cast.bob, cast.project)
    bob, charlie = signed_in(cast.bob), signed_in(cast.charlie)
    assert bob.get(QUOTA.format("training")).status_code == 200
    before = row_counts()
    assert refusal(put(bob, "training", cpu=1))[:2] == (403, "Organization admin access required")
    assert refusal(bob.delete(QUOTA.format("training")))[0] == 403
    for client, project in ((charlie, "acme-training"), (bob, "acme-serving"), (charlie, cast.project.public_id)):
        denied = (403, "Access denied to namespace")
        assert refusal(client.get(QUOTA.format(project)))[:2] == denied
        assert refusal(put(client, project, cpu=1))[:2] == denied
        assert refusal(client.delete(QUOTA.format(project)))[:2] == denied
    assert refusal(put(Client(), "training", cpu=1))[0] == 401
    assert row_counts() == before


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"cpu": -1}, {"cpu": "half"}, {"cpu": True}, {"cpu": None}, {"memory": [1]}, {"memory": -0.5}),
        *({"pods": 1.5}, {"memory": 1e30}, {"cpu": "1e400"}, {"storage": {"a": 1}}, {"gpu": 1}, {"cpu": ""}),
    ],
)
def test_001_37_what_is_no_quantity_is_refused(acme: Organization, alice: Client, body: dict[str, Any]) -> None:
    assert refusal(put(alice, "training", **body))[0] == 400
    assert not Limit.objects.filter(kind=LimitKind.PROJECT_QUOTA).exists()


def test_001_38_a_plan_with_add_ons_costs_their_sum(cast: Cast, acme: Organization, alice: Client) -> None:
    addons = [{"addonId": "turbo-x1", "quantity": 3}, {"addonId": "turbo-x2", "quantity": 2}]
    found = simulate(alice, planId="scale-pool", addons=addons).json()["data"]
    assert found["cost"] == {"amount": 158, "currency": "EUR", "interval": "month"}
    assert found["currentCost"] is None
    assign(cast.strangers, "dev-pool", {"turbo-x1": 1})  # pays in USD: its only account is
    charlie = signed_in(cast.charlie)
    held = Subscription.objects.get(organization=cast.strangers)
    now = simulate(charlie, planId="dev-pool").json()["data"]["currentCost"]
    assert (now["currency"], now["interval"]) == (held.currency, "month")
    assert Decimal(str(now["amount"])) == {"USD": 30, "EUR": 28}[held.currency]


def test_001_48_a_project_s_overview_says_what_its_machines_cost_this_month(cast: Cast, alice: Client) -> None:
    at = clock.now()
    begun = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    fund(cast.prepaid, 100_000, at=begun)
    start(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=begun)
    accrual.drain(begun.replace(hour=0, minute=30))
    found = data(alice, "project/training/overview")
    assert found["cost"]["amounts"] == [{"amount": 2.5, "currency": "USD"}]
    assert (found["running"], found["billingAccount"], found["currency"]) == (1, cast.prepaid.public_id, "USD")
    assert data(alice, "project/serving/overview")["cost"]["amounts"] == []


def test_001_19_the_pair_nearer_to_its_bound_is_shown(cast: Cast, alice: Client) -> None:
    burst = plan("4", "8Gi", "60Gi", displayName="Burst", burstRatio=2)
    publish(catalog_document(plans={"burst": burst}, eipQuota={"burst": 1}))
    assign(cast.acme, "burst")
    values: dict[str, object] = {"limits.cpu": "7", "limits.memory": "2Gi"}
    reported(cast.acme, cpu="3", memory="4Gi", **values)
    usage = data(alice, "organization-subscription")["usage"]
    assert usage["cpu"] == {"used": 7, "limit": 8}
    assert usage["memory"] == {"used": 4, "limit": 8}


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("plans", 5),
        ("organization-subscription", 20),
        ("quota-usage", 14),
        ("projects", 9),
        ("project/p-1/overview", 20),
    ],
)
def test_001_48_a_call_asks_the_database_as_often_for_many_projects_as_for_few(
    cast: Cast, acme: Organization, alice: Client, path: str, most: int
) -> None:
    assign(acme, "pro-pool")
    open_project(acme, "P 1", "p-1", at=NOON)
    with CaptureQueriesContext(connection) as few:
        data(alice, path)
    for number in range(2, 20):
        open_project(acme, f"P {number}", f"p-{number}", at=NOON)
    with CaptureQueriesContext(connection) as many:
        data(alice, path)
    assert len(many) == len(few) <= most
