"""001-15 … 001-28, 001-37, 001-38: what an organization may use follows from what it holds and how it stands."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import clock, enforcement
from accounts.closing import close_organization
from accounts.errors import Conflict
from accounts.lifecycle import open_organization
from accounts.models import AuditLog, Level, Organization, OutboxMessage
from accounts.policy import set_value
from quotas import limits as quota_limits
from quotas import tasks
from quotas.catalog.document import parse
from quotas.models import Limit, LimitKind, Subscription
from quotas.project_quotas import effective_quota
from quotas.resource_quantities import parse as quantity
from quotas.subscription_clock import drain
from quotas.usage_report import report, usage_of
from quotas.what_if import what_if
from tests.billing_site.test_act_forms import sent
from tests.cast import NOON, Cast
from tests.quotas.plans import addon, catalog_document, plan, publish
from tests.quotas.subscription_scene import BY, assign, due, hard, limits, move, one_person_publishes, requests

DAY = timedelta(days=1)
QUOTA, RANGE = LimitKind.HIERARCHICAL_RESOURCE_QUOTA, LimitKind.LIMIT_RANGE
PRO = ("8", "24Gi", "160Gi")


@pytest.fixture
def acme(cast: Cast) -> Organization:
    publish()
    return cast.acme


@pytest.fixture
def desk(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.dana)
    return client


def do(client: Client, page: str, form: dict[str, str], *, row: int | None = None) -> Any:
    """An act through its page: the form, the preview, the button. The page it leads to."""
    address = reverse(f"admin:{page}", args=[row] if row else [])
    preview = client.post(address, {**form, "reason": "asked for by mail"})
    assert preview.status_code == 200, preview.text
    done = client.post(address, sent(preview))
    assert done.status_code == 302, done.text
    return client.get(done.url)


def test_001_15_a_plan_that_is_assigned_is_enforced_at_once(acme: Organization, desk: Client) -> None:
    do(desk, "quotas_subscription_assign", {"organization": acme.slug, "plan": "pro-pool", "addons": ""})
    found = limits(acme)
    labels = {"billing.kube-dc.com/auto-managed": "true", "billing.kube-dc.com/plan-id": "pro-pool"}
    assert (found[QUOTA].name, found[RANGE].name) == ("plan-quota", "default-resource-limits")
    assert (found[QUOTA].labels, found[RANGE].labels) == (labels, labels)
    assert found[QUOTA].values == {
        "requests.cpu": "8",
        "requests.memory": "24Gi",
        "requests.storage": "160Gi",
        "limits.cpu": "8",
        "limits.memory": "24Gi",
        "pods": "200",
        "services.loadbalancers": "100",
    }
    assert found[RANGE].values["maxCPU"] == "8"
    assert found[LimitKind.OBJECT_STORAGE].values == {"gigabytes": "100"}
    assert found[LimitKind.EXTERNAL_IPS].values == {"public": "1"}
    page = desk.get(reverse("admin:quotas_limit_of", args=[acme.pk])).text
    for shown in ("8 vCPU", "24 GiB", "160 GiB", "100 GB", "pro-pool"):
        assert shown in page
    assert OutboxMessage.objects.filter(topic="quotas.quota_changed", organization=acme).count() == 1


def test_001_16_another_plan_changes_the_quota_and_the_container_limits(acme: Organization, desk: Client) -> None:
    assign(acme, "dev-pool")
    assert (requests(acme), limits(acme)[RANGE].values["maxCPU"]) == (("4", "8Gi", "60Gi"), "4")
    do(desk, "quotas_subscription_assign", {"organization": acme.public_id, "plan": "scale-pool", "addons": ""})
    assert (requests(acme), limits(acme)[RANGE].values["maxCPU"]) == (("16", "56Gi", "320Gi"), "16")
    assert {row.labels.get("billing.kube-dc.com/plan-id") for row in limits(acme).values() if row.labels} == {
        "scale-pool"
    }
    assert {row.plan_code for row in limits(acme).values()} == {"scale-pool"}


def test_001_17_an_add_on_adds_as_often_as_it_is_held(acme: Organization) -> None:
    assign(acme, "pro-pool", {"turbo-x1": 1})
    assert requests(acme) == ("10", "28Gi", "180Gi")
    assert (hard(acme)["pods"], hard(acme)["services.loadbalancers"]) == ("200", "100")
    assign(acme, "pro-pool", {"turbo-x1": 3, "turbo-x2": 1})
    assert requests(acme) == ("18", "44Gi", "260Gi")
    assign(acme, "pro-pool")
    assert requests(acme) == PRO


def test_001_18_overhead_counts_for_the_projects_limit_and_takes_no_storage(cast: Cast, desk: Client) -> None:
    publish(catalog_document(systemOverhead={"cpuPerProject": "100m", "memPerProject": "128Mi"}))
    assign(cast.acme, "pro-pool", {"turbo-x1": 1})
    assert requests(cast.acme) == ("15", "35072Mi", "180Gi")  # the shipped limit of fifty projects
    set_value("quotas.projects_limit", 3, scope="tenant", scope_id=cast.acme.pk, at=NOON, **BY)
    assert due() == {cast.acme.pk}
    assert quota_limits.drain(NOON) == 1
    assert requests(cast.acme) == ("10300m", "29056Mi", "180Gi")
    page = desk.get(reverse("admin:quotas_limit_of", args=[cast.acme.pk])).text
    for shown in ("10.3 vCPU", "10300m", "28.375 GiB", "29056Mi", "180Gi"):
        assert shown in page


def test_001_19_burst_widens_the_limits_of_cpu_and_memory_alone(cast: Cast) -> None:
    small = plan("2", "4Gi", "20Gi", burstRatio=2)
    document = catalog_document(plans={"test-small": small}, eipQuota={"test-small": 1})
    publish({**document, "systemOverhead": {"cpuPerProject": "100m", "memPerProject": "128Mi"}})
    set_value("quotas.projects_limit", 3, scope="tenant", scope_id=cast.acme.pk, at=NOON, **BY)
    assign(cast.acme, "test-small", {"turbo-x1": 1})
    assert hard(cast.acme) == {
        "requests.cpu": "4300m",
        "requests.memory": "8576Mi",
        "requests.storage": "40Gi",
        "limits.cpu": "8600m",
        "limits.memory": "17152Mi",
        "pods": "100",
        "services.loadbalancers": "100",
    }


def test_001_20_suspended_is_the_suspended_plan_exactly(cast: Cast, desk: Client) -> None:
    publish(catalog_document(systemOverhead={"cpuPerProject": "100m", "memPerProject": "128Mi"}))
    held = assign(cast.acme, "scale-pool", {"turbo-x1": 5})
    page = do(desk, "quotas_subscription_suspend", {}, row=held.pk).text
    assert "Suspended" in page
    assert hard(cast.acme) == {
        "requests.cpu": "500m",
        "requests.memory": "1Gi",
        "requests.storage": "0",
        "limits.cpu": "500m",
        "limits.memory": "1Gi",
        "pods": "10",
        "services.loadbalancers": "0",
    }
    assert limits(cast.acme)[LimitKind.OBJECT_STORAGE].values == {"gigabytes": "0"}
    assert limits(cast.acme)[LimitKind.EXTERNAL_IPS].values == {"public": "0"}
    assert enforcement.levels_of_organizations({cast.acme.pk: None}) == {cast.acme.pk: Level.RESTRICTED}


@pytest.mark.parametrize("status", ["trialing", "canceling", "past_due"])
def test_001_21_who_pays_or_still_may_keeps_the_whole_quota(cast: Cast, status: str) -> None:
    document = catalog_document()
    if status == "trialing":
        document["plans"]["pro-pool"]["trialDays"] = 14
    publish(document)
    held = assign(cast.acme, "pro-pool", {"turbo-x1": 1})
    if status != "trialing":
        held = move(held, status)
    assert held.status == status
    assert requests(cast.acme) == ("10", "28Gi", "180Gi")
    assert limits(cast.acme)[LimitKind.OBJECT_STORAGE].values == {"gigabytes": "100"}
    assert enforcement.levels_of_organizations({cast.acme.pk: None}) == {cast.acme.pk: "full"}


def test_001_22_after_seven_days_a_suspension_is_canceled(
    acme: Organization, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = move(assign(acme, "pro-pool"), "suspended")

    def ring(at: Any) -> str:
        monkeypatch.setattr(clock, "now", lambda: at)
        tasks.move_subscriptions()
        return Subscription.objects.get(pk=held.pk).status

    assert ring(NOON + 7 * DAY - timedelta(seconds=1)) == "suspended"
    assert ring(NOON + 9 * DAY) == "canceled"
    found = Subscription.objects.get(pk=held.pk)
    assert (found.canceled_at, found.due_at) == (NOON + 7 * DAY, None)  # dated by when it was due, not by the ring
    assert enforcement.levels_of_organizations({acme.pk: None}) == {acme.pk: Level.HALTED}
    assert hard(acme)["pods"] == "10"
    assert ring(NOON + 90 * DAY) == "canceled"
    row = AuditLog.objects.get(action="subscription.canceled", subject_id=held.pk)
    assert (row.actor_kind, row.reason) == ("subscriptions", "the grace of the suspension ended")
    page = desk.get(reverse("admin:quotas_subscription_change", args=[held.pk])).text
    assert "Canceled for good" in page


@pytest.mark.parametrize("last", ["suspended", "canceled"])
def test_001_23_who_subscribes_again_has_everything_back(acme: Organization, desk: Client, last: str) -> None:
    held = move(assign(acme, "pro-pool", {"turbo-x1": 2}), "suspended")
    if last == "canceled":
        drain(NOON + 8 * DAY)
    page = do(desk, "quotas_subscription_resubscribe", {}, row=held.pk).text
    found = Subscription.objects.get(pk=held.pk)
    assert (found.status, found.suspended_at, found.canceled_at) == ("active", None, None)
    assert found.period_start == found.anchor_at > NOON + 8 * DAY
    assert requests(acme) == ("12", "32Gi", "200Gi")
    assert enforcement.levels_of_organizations({acme.pk: None}) == {acme.pk: "full"}
    assert "Subscribed again" in page
    assert "67.00 EUR" in page  # the price it had


def test_001_24_without_a_plan_there_are_no_limits(cast: Cast, acme: Organization, desk: Client) -> None:
    assign(acme, "pro-pool")
    enforcement.open_reason(cast.strangers, "desk", Level.HALTED, why="whatever the level", at=NOON)
    quota_limits.mark_due([acme.pk, cast.strangers.pk], at=NOON)
    assert quota_limits.drain(NOON) == 2
    assert limits(cast.strangers) == {}
    page = desk.get(reverse("admin:quotas_limit_of", args=[cast.strangers.pk])).text
    assert "Nothing is enforced." in page
    assert "Assign one" in page
    assert "unknown" not in page


def test_001_25_the_limits_go_with_the_organization(cast: Cast, acme: Organization) -> None:
    assign(cast.strangers, "pro-pool")
    assign(acme, "pro-pool")
    close_organization(cast.strangers.pk, at=NOON, **BY)
    assert limits(cast.strangers) == {}
    assert quota_limits.drain(NOON) == 1
    assert limits(cast.strangers) == {}
    assert len(limits(acme)) == 4
    with pytest.raises(Conflict):
        assign(cast.strangers, "pro-pool")


def test_001_26_container_limits_of_somebody_else_are_left_alone(acme: Organization, desk: Client) -> None:
    assign(acme, "dev-pool")
    Limit.objects.filter(organization=acme, kind=RANGE).update(auto_managed=False, values={"maxCPU": "64"}, labels={})
    held = assign(acme, "pro-pool")
    assert requests(acme) == PRO
    move(held, "suspended")
    quota_limits.mark_everyone(at=NOON)
    quota_limits.drain(NOON)
    kept = limits(acme)[RANGE]
    assert (kept.values, kept.labels, kept.plan_code) == ({"maxCPU": "64"}, {}, "dev-pool")
    assert "left as it is" in desk.get(reverse("admin:quotas_limit_of", args=[acme.pk])).text


def test_001_28_object_storage_follows_the_plan_and_what_is_unknown_is_not_zero(
    acme: Organization, desk: Client
) -> None:
    held = assign(acme, "scale-pool")
    assert limits(acme)[LimitKind.OBJECT_STORAGE].values == {"gigabytes": "500"}
    report(acme, {"object_storage": None, "cpu": "0"}, reported_at=NOON, at=NOON)
    assert usage_of(acme) == {"object_storage": None, "requests.cpu": 0}
    bars = bars_of(desk, acme)
    assert (bars["Object storage"]["used"], bars["Object storage"]["bar"].percent) == ("unknown", None)
    assert (bars["CPU"]["used"], bars["CPU"]["bar"].percent) == ("0 vCPU", 0)
    report(acme, {"object_storage": "475"}, reported_at=NOON, at=NOON)
    line = bars_of(desk, acme)["Object storage"]
    assert (line["used"], line["bar"].percent, line["says"]) == ("475 GB", 95, "alert at 95 % reached")
    move(held, "suspended")
    assert limits(acme)[LimitKind.OBJECT_STORAGE].values == {"gigabytes": "0"}
    assert bars_of(desk, acme)["Object storage"]["says"] == "above the limit"


def test_001_37_a_projects_own_quota_and_the_smaller_of_the_two(cast: Cast, acme: Organization, desk: Client) -> None:
    assign(acme, "pro-pool")
    page = do(desk, "quotas_limit_setquota", {"cpu": "3", "memory": "100Gi"}, row=cast.project.pk).text
    found = effective_quota(cast.project)
    assert (found["requests.cpu"], found["requests.memory"]) == (quantity("3"), quantity("24Gi"))
    assert "3 vCPU" in page
    report(acme, {"memory": "20Gi"}, project=cast.postpaid_project, reported_at=NOON, at=NOON)
    assert effective_quota(cast.project)["requests.memory"] == quantity("4Gi")
    do(desk, "quotas_limit_removequota", {}, row=cast.project.pk)
    assert effective_quota(cast.project)["requests.cpu"] == quantity("8")


def test_001_38_the_price_is_the_plan_plus_each_add_on(acme: Organization, desk: Client) -> None:
    form = {"organization": acme.slug, "plan": "scale-pool", "addons": "turbo-x1=3, turbo-x2=2"}
    page = do(desk, "quotas_subscription_assign", form).text
    for shown in ("158.00 EUR", "99.00 EUR", "27.00 EUR", "32.00 EUR"):
        assert shown in page
    assert requests(acme) == ("30", "84Gi", "460Gi")
    asked = what_if(parse(catalog_document()), "scale-pool", {"turbo-x1": 3, "turbo-x2": 2}, projects_limit=50)
    assert asked.as_json()["monthly_price"] == {"amount_minor": 15_800, "currency": "EUR", "text": "158.00 EUR"}
    listed = desk.get(reverse("admin:quotas_subscription_changelist")).text
    assert "158.00 EUR" in listed
    exported = desk.get(reverse("admin:quotas_subscription_export"))
    assert "15800,EUR,month" in b"".join(exported.streaming_content).decode()


def test_what_is_held_keeps_its_price_when_the_catalog_raises_it(acme: Organization, desk: Client) -> None:
    """000's promise, seen on the pages of 001: newcomers pay the new price, who holds it the old one."""
    one_person_publishes()
    held = assign(acme, "pro-pool", {"turbo-x1": 1})
    dearer = catalog_document()
    dearer["plans"]["pro-pool"] |= {"price": 59, "pods": 250}
    publish(dearer, existing="move", at=NOON + DAY)
    quota_limits.drain(NOON + DAY)
    page = desk.get(reverse("admin:quotas_subscription_change", args=[held.pk])).text
    assert "58.00 EUR" in page
    assert "pro-pool: version 1 → 2, at the price it had" in page
    assert hard(acme)["pods"] == "250"
    newcomer = assign(open_organization("New", "new", owner=acme.owner, at=NOON), "pro-pool", {"turbo-x1": 1})
    assert "68.00 EUR" in desk.get(reverse("admin:quotas_subscription_change", args=[newcomer.pk])).text


def test_the_pages_ask_as_much_for_many_as_for_one(cast: Cast, acme: Organization, desk: Client) -> None:
    held = assign(acme, "pro-pool", {"turbo-x1": 1})
    pages = [
        reverse("admin:quotas_subscription_changelist"),
        reverse("admin:quotas_subscription_change", args=[held.pk]),
        reverse("admin:quotas_limit_of", args=[acme.pk]),
        reverse("admin:quotas_limit_changelist"),
    ]

    def asked() -> list[int]:
        counts = []
        for page in pages:
            desk.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert desk.get(page).status_code == 200
            counts.append(len(queries))
        return counts

    before = asked()
    for number in range(5):
        other = open_organization(f"Other {number}", f"other-{number}", owner=cast.charlie, at=NOON)
        assign(other, "scale-pool", {"turbo-x1": 2, "turbo-x2": 1})
        assign(acme, "pro-pool", {"turbo-x1": 2 + number}, at=NOON + number * DAY + DAY)
    assert asked() == before


def bars_of(client: Client, organization: Organization) -> dict[str, Any]:
    """The lines of the quota page by what they are about."""
    response = client.get(reverse("admin:quotas_limit_of", args=[organization.pk]))
    return {line["title"]: line for line in response.context["bars"]}


def test_addon_storage_is_exact(cast: Cast) -> None:
    """The case of the platform's own end-to-end test: 20 + 10 = 30Gi."""
    document = catalog_document(
        plans={"test-small": plan("2", "4Gi", "20Gi")}, addons={"test-turbo": addon("1", "2Gi", "10Gi")}
    )
    publish({**document, "eipQuota": {}})
    assign(cast.acme, "test-small", {"test-turbo": 1})
    assert hard(cast.acme)["requests.storage"] == "30Gi"
    assert LimitKind.EXTERNAL_IPS not in limits(cast.acme)
