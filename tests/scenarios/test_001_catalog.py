"""001-04 to 001-09 and 002-01: the catalog that operators have, edited, uploaded, refused, published and held."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts import approvals
from accounts.models import ApprovalRequest, Organization, User
from quotas.admin.catalog_fields import PLAN, typed
from quotas.catalog import writing
from quotas.catalog.document import parse, parse_text, read_json
from quotas.catalog.terms import Catalog
from quotas.catalog_in_force import catalog_of, in_force, newest
from quotas.limits import drain
from quotas.models import CatalogLine, CatalogRefusal, CatalogVersion, Limit, LimitKind, SubscriptionItem
from quotas.subscriptions import assign_plan
from tests.billing_site.test_act_forms import sent, signed_in
from tests.cast import ACTOR, NOON, Cast
from tests.quotas.plans import catalog_document, publish
from tests.row_counts import row_counts

pytestmark = pytest.mark.django_db
OPERATORS_FILE = Path(__file__).parents[2].parent / "shared" / "data" / "billing-plans-configmap.yaml"

# The plan table of the contract: price, cores, GiB of memory and storage, pods, load balancers, GB, shown, enforced.
TABLE = {
    "dev-pool": (19, 4, 8, 60, 100, 100, 20, 1, 1),
    "pro-pool": (49, 8, 24, 160, 200, 100, 100, 1, 1),
    "scale-pool": (99, 16, 56, 320, 500, 100, 500, 3, 3),
}
ADDONS = {"turbo-x1": (9, 2, 4, 20), "turbo-x2": (16, 4, 8, 40)}
GIB = 2**30


@pytest.fixture
def dana(cast: Cast) -> Client:
    return signed_in(cast.dana)


def act(client: Client, name: str, pk: int | None, form: dict[str, Any]) -> Any:
    """Preview an act of the catalog's pages and do it."""
    page = reverse(f"admin:quotas_catalogversion_{name}", args=[pk] if pk else [])
    shown = client.post(page, form)
    assert shown.status_code == 200, shown.context["form"].errors
    done = client.post(page, sent(shown))
    assert done.status_code == 302, done.text
    return shown


def published_by_two(client: Client, checker: User, draft: CatalogVersion, existing: str = "keep") -> CatalogVersion:
    """Dana asks, Erin reads the same preview and agrees."""
    act(client, "publish", draft.pk, {"existing": existing, "reason": "spring prices"})
    asked = ApprovalRequest.objects.latest("pk")
    page = signed_in(checker).get(reverse("admin:accounts_approvalrequest_change", args=[asked.pk]))
    assert "Plans and add-ons" in page.text
    assert in_force() != draft
    approvals.decide(asked.pk, checker=checker, approve=True, note="read", at=asked.requested_at)
    draft.refresh_from_db()
    assert in_force() == draft
    return draft


def edited(client: Client) -> CatalogVersion:
    """The draft that the editor opens on what is in force."""
    opened = client.post(reverse("admin:quotas_catalogversion_edit", args=[in_force().pk]))
    return CatalogVersion.objects.get(pk=opened.url.rstrip("/").split("/")[-2])


def plan_form(draft: CatalogVersion, code: str, **changes: str) -> dict[str, str]:
    document = read_json(draft.document)
    shown = {name: value for name, value in typed(PLAN, document["plans"][code]).items() if value is not False}
    addresses = str(document["eipQuota"].get(code, ""))
    return {**shown, "code": code, "external_ips": addresses, "seen": draft.sha256, **changes}


def limit_of(organization: Organization, kind: str = LimitKind.HIERARCHICAL_RESOURCE_QUOTA) -> dict[str, str]:
    values: dict[str, str] = Limit.objects.get(organization=organization, kind=kind).values
    return values


def test_001_04_the_operators_file_is_the_plan_table(cast: Cast) -> None:
    if not OPERATORS_FILE.exists():
        pytest.skip(f"the operators' catalog is not at hand: {OPERATORS_FILE}")
    call_command("import_catalog", str(OPERATORS_FILE), stdout=io.StringIO())
    catalog = catalog_of(in_force())
    found = {
        code: (
            *(plan.price, plan.requests.cpu, plan.requests.memory / GIB, plan.requests.storage / GIB),
            *(plan.pods, plan.load_balancers, plan.object_storage, plan.ipv4, catalog.eip_quota[code]),
        )
        for code, plan in catalog.plans.items()
    }
    assert found == TABLE
    assert list(found) == ["dev-pool", "pro-pool", "scale-pool"]
    assert {plan.currency for plan in catalog.plans.values()} == {"EUR"}
    assert {plan.burst_ratio for plan in catalog.plans.values()} == {Decimal(1)}
    assert [code for code, plan in catalog.plans.items() if plan.recommended] == ["pro-pool"]
    addons = {code: (row.price, row.cpu, row.memory / GIB, row.storage / GIB) for code, row in catalog.addons.items()}
    assert addons == ADDONS
    suspended = catalog.suspended
    assert (suspended.cpu, suspended.memory, suspended.pods, suspended.load_balancers) == (Decimal("0.5"), GIB, 10, 0)
    assert (catalog.overhead.cpu, catalog.overhead.memory) == (0, 0)
    assert list(
        CatalogLine.objects.filter(catalog=in_force()).order_by("position").values_list("item__code", flat=True)
    ) == [*("dev-pool", "pro-pool", "scale-pool", "turbo-x1", "turbo-x2")]


def test_001_05_a_plan_that_customers_may_not_choose_is_assigned_by_staff(cast: Cast, dana: Client) -> None:
    publish()
    line = CatalogLine.objects.get(catalog=in_force(), item__code="lab")
    assert not line.self_service
    page = dana.get(reverse("admin:quotas_catalogversion_change", args=[in_force().pk])).text
    assert page.count("assigned by staff only") == 1
    assign_plan(cast.acme, "lab", {}, actor=ACTOR, reason="a lab for a friend", at=NOON)
    assert limit_of(cast.acme)["requests.cpu"] == "1"


def test_001_06_switching_an_add_on_off_takes_back_what_it_grants(cast: Cast, dana: Client) -> None:
    publish()
    assign_plan(cast.acme, "pro-pool", {"turbo-x1": 1}, actor=ACTOR, reason="ordered", at=NOON)
    assert limit_of(cast.acme)["requests.storage"] == "180Gi"
    draft = edited(dana)
    arrange = reverse("admin:quotas_catalogversion_arrange", args=[draft.pk])
    dana.post(arrange, {"kind": "add-on", "code": "turbo-x1", "how": "off", "seen": draft.sha256})
    draft.refresh_from_db()
    preview = act(dana, "publish", draft.pk, {"existing": "keep", "reason": "it misbehaves"}).text
    for said in ("switched off", "turbo-x1, version 1", "each grants storage", "20Gi"):
        assert said in preview
    asked = ApprovalRequest.objects.get()
    approvals.decide(asked.pk, checker=cast.erin, approve=True, note="", at=asked.requested_at)
    drain(asked.requested_at)
    assert limit_of(cast.acme)["requests.storage"] == "160Gi"
    assert limit_of(cast.acme)["requests.cpu"] == "8"


def test_001_07_plans_are_uploaded_compared_and_edited(cast: Cast, dana: Client) -> None:
    publish()
    document = catalog_document()
    document["plans"]["pro-pool"]["requests"]["cpu"] = "10"
    for text in (writing.write(parse(document)), writing.write_configmap(parse(document))):
        shown = act(dana, "upload", None, {"document": text, "source": "plans.yaml"})
        assert "plans.pro-pool.requests.cpu" in shown.text
    draft = CatalogVersion.objects.latest("pk")
    assert (draft.state, draft.source, draft.made_by) == ("draft", "plans.yaml", cast.dana)
    act(dana, "plan", draft.pk, plan_form(draft, "dev-pool", pods="150"))
    draft.refresh_from_db()
    published_by_two(dana, cast.erin, draft)
    catalog = catalog_of(in_force())
    assert catalog.plans["pro-pool"].requests.cpu == 10
    assert catalog.plans["dev-pool"].pods == 150


def test_001_07_what_is_downloaded_is_imported_as_the_same_catalog(cast: Cast, dana: Client) -> None:
    good = publish().catalog
    page = reverse("admin:quotas_catalogversion_download", args=[good.pk])
    for query in ("", "?as=configmap"):
        response = dana.get(page + query)
        assert "attachment" in response["Content-Disposition"]
        assert parse_text(response.content) == catalog_of(good)
        refused = dana.post(reverse("admin:quotas_catalogversion_upload"), {"document": response.content.decode()})
        assert "(catalog_unchanged)" in refused.text


def test_001_08_a_document_without_eip_quota_is_refused_whole_and_the_last_good_one_stays(
    cast: Cast, dana: Client
) -> None:
    good = publish().catalog
    assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="ordered", at=NOON)
    held = limit_of(cast.acme)
    text = writing.write(parse(catalog_document()))
    upload = reverse("admin:quotas_catalogversion_upload")
    before = row_counts()
    answer = dana.post(upload, {"document": text[: text.index("eipQuota")].replace("burstRatio: 1", "burstRatio: NaN")})
    assert answer.status_code == 422
    for path in ("eipQuota", "plans.dev-pool.burstRatio", "plans.lab.burstRatio"):
        assert path in answer.text
    after = row_counts()
    assert {table for table in after if after[table] != before[table]} == {
        "catalog_refusals",
        "outbox",
        "outbox_deliveries",
        "event_feed",
    }
    assert (in_force(), limit_of(cast.acme)) == (good, held)
    refusal = CatalogRefusal.objects.get(resolved_at=None)
    assert "Catalog refused" in dana.get(reverse("admin:index")).text
    assert "plans.lab.burstRatio" in dana.get(reverse("admin:quotas_catalogrefusal_change", args=[refusal.pk])).text
    act(dana, "upload", None, {"document": text.replace("pods: 100", "pods: 101"), "source": "plans.yaml"})
    assert "Catalog refused" not in dana.get(reverse("admin:index")).text


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"x" * (2**20 + 1), b"a: &a [*a]"])
def test_001_08_a_file_that_is_no_catalog_is_refused_with_its_fault(cast: Cast, dana: Client, raw: bytes) -> None:
    upload = reverse("admin:quotas_catalogversion_upload")
    file = io.BytesIO(raw)
    file.name = "plans.yaml"
    answer = dana.post(upload, {"file": file})
    assert answer.status_code == 422
    assert "Refused whole: 1 fault" in answer.text
    assert newest() is None
    assert CatalogRefusal.objects.filter(resolved_at=None).count() == 1


def test_001_09_no_edit_drops_an_operators_section(cast: Cast, dana: Client) -> None:
    """Every edit that the pages offer, one after the other; after each the sections stand as they did."""
    document = catalog_document(
        systemOverhead={"cpuPerProject": "100m", "memPerProject": "128Mi"}, promoCodes=[{"a": 1}]
    )
    publish(document)
    draft = edited(dana)

    def sections() -> Any:
        draft.refresh_from_db()
        catalog: Catalog = catalog_of(draft)
        return catalog.suspended, catalog.overhead, catalog.eip_quota, catalog.model_extra

    first = sections()
    new = {**plan_form(draft, "dev-pool"), "code": "gpu-pool", "external_ips": ""}
    act(dana, "plan", draft.pk, plan_form(draft, "dev-pool", display_name="Developers", price="21.50"))
    assert sections() == first
    act(dana, "addplan", draft.pk, {**new, "seen": draft.sha256})
    assert sections() == first
    act(dana, "addon", draft.pk, {"code": "turbo-x1", "display_name": "T", "price": "8", "currency": "EUR", "seen": ""})
    assert sections() == first
    act(dana, "remove", draft.pk, {"kind": "plan", "code": "gpu-pool", "seen": draft.sha256})
    assert sections() == first
    dana.post(
        reverse("admin:quotas_catalogversion_arrange", args=[draft.pk]),
        {"kind": "plan", "code": "lab", "how": "up", "seen": draft.sha256},
    )
    assert sections() == first
    assert list(catalog_of(draft).plans) == ["dev-pool", "pro-pool", "lab", "scale-pool"]
    act(dana, "plan", draft.pk, plan_form(draft, "pro-pool", external_ips="4"))
    assert sections()[2] == {"dev-pool": 1, "pro-pool": 4, "scale-pool": 3}
    act(dana, "section", draft.pk, section_form(draft, suspended_pods="7"))
    assert sections()[0].pods == 7
    published_by_two(dana, cast.erin, draft)
    written = parse_text(writing.write(catalog_of(in_force())))
    assert (written.suspended.pods, written.overhead, written.eip_quota["pro-pool"]) == (7, first[1], 4)


@pytest.mark.parametrize(
    "name", ["suspended_cpu", "suspended_memory", "suspended_pods", "overhead_cpu", "overhead_memory"]
)
def test_001_09_a_section_that_is_emptied_is_refused_on_its_field(cast: Cast, dana: Client, name: str) -> None:
    publish()
    draft = edited(dana)
    before = row_counts()
    page = reverse("admin:quotas_catalogversion_section", args=[draft.pk])
    answer = dana.post(page, section_form(draft, **{name: ""}))
    assert answer.status_code == 422
    assert answer.context["form"].errors[name] == ["is required"]
    assert row_counts() == before


def section_form(draft: CatalogVersion, **changes: str) -> dict[str, str]:
    catalog = catalog_of(draft)
    shown = {
        "suspended_cpu": "500m",
        "suspended_memory": "1Gi",
        "suspended_storage": "0",
        "suspended_pods": "10",
        "suspended_load_balancers": "0",
        "seen": draft.sha256,
        "overhead_cpu": f"{catalog.overhead.cpu.normalize():f}",
        "overhead_memory": f"{catalog.overhead.memory:f}",
    }
    return {**shown, **changes}


@pytest.mark.parametrize(("existing", "cpu"), [("keep", "8"), ("move", "12")])
def test_002_01_a_new_price_is_paid_by_newcomers_alone(cast: Cast, dana: Client, existing: str, cpu: str) -> None:
    publish()
    assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="ordered", at=NOON)
    draft = edited(dana)
    act(
        dana,
        "plan",
        draft.pk,
        plan_form(draft, "pro-pool", price="59", prices="25 USD a month", cpu="12", max_cpu="12"),
    )
    draft.refresh_from_db()
    published_by_two(dana, cast.erin, draft, existing)
    assert draft.published_at
    drain(draft.published_at)
    subscription = assign_plan(
        cast.strangers, "pro-pool", {}, actor=ACTOR, reason="ordered after", at=draft.published_at
    )
    prices = {
        row.organization_id: (row.price.amount_minor, row.price.currency)
        for row in SubscriptionItem.objects.filter(effective_to=None).select_related("price")
    }
    assert prices[cast.acme.pk] == (4900, "EUR")
    assert prices[cast.strangers.pk] == (2500, "USD")
    assert subscription.currency == "USD"
    assert limit_of(cast.acme)["requests.cpu"] == cpu
    assert limit_of(cast.strangers)["requests.cpu"] == "12"
    item = SubscriptionItem.objects.filter(effective_to=None).first()
    assert item is not None
    beside = dana.get(reverse("admin:quotas_catalogitem_change", args=[item.item_id])).text
    for said in ("Version 1", "Version 2", "49.00 EUR", "59.00 EUR", "changed"):
        assert said in beside
