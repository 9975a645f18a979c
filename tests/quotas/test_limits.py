"""Limits follow from what is held: what marks them, how the drain computes them, what the database refuses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import enforcement
from accounts.lifecycle import open_organization
from accounts.models import BillingAccount, Level, Organization, OutboxMessage
from accounts.policy import set_value, unset_value
from quotas import limits as quota_limits
from quotas.models import CatalogItem, Limit, LimitKind
from quotas.project_quotas import set_project_quota
from tests.cast import NOON, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.quotas.plans import catalog_document, plan, publish
from tests.quotas.subscription_scene import BY, assign, due, hard, limits, move, one_person_publishes, requests

DAY = timedelta(days=1)
OVERHEAD = {"cpuPerProject": "100m", "memPerProject": "128Mi"}


def many(cast: Cast, count: int, plan_code: str = "pro-pool") -> list[Organization]:
    found = []
    for number in range(count):
        name = f"{plan_code}-{number}"
        found.append(open_organization(name, name, owner=cast.charlie, at=NOON))
        assign(found[-1], plan_code, {"turbo-x1": 1 + number % 3})
    return found


@pytest.fixture
def three(cast: Cast) -> dict[str, Organization]:
    """Acme on pro, paid by its postpaid account; the strangers on scale; a third organization without a plan."""
    publish()
    one_person_publishes()
    assign(cast.acme, "pro-pool", account=cast.postpaid)
    assign(cast.strangers, "scale-pool")
    nobody = open_organization("Nobody", "nobody", owner=cast.charlie, at=NOON)
    return {"acme": cast.acme, "strangers": cast.strangers, "nobody": nobody}


def the_plan(code: str) -> int:
    return CatalogItem.objects.get(kind="plan", code=code).pk


def set_limit(scope: str, scope_id: int | None) -> None:
    set_value("quotas.projects_limit", 3, scope=scope, scope_id=scope_id, at=NOON, **BY)


def hold(subject: Organization | BillingAccount) -> None:
    enforcement.open_reason(subject, "desk", Level.RESTRICTED, why="for a test", at=NOON)


MARKS: list[tuple[str, Callable[[Cast], Any], set[str]]] = [
    ("a publication", lambda cast: publish(catalog_document(systemOverhead=OVERHEAD)), {"acme", "strangers"}),
    ("a policy of everyone", lambda cast: set_limit("global", None), {"acme", "strangers"}),
    ("a policy of a plan", lambda cast: set_limit("plan", the_plan("pro-pool")), {"acme"}),
    ("a policy of a plan nobody holds", lambda cast: set_limit("plan", the_plan("lab")), set()),
    ("a policy of an organization", lambda cast: set_limit("tenant", cast.strangers.pk), {"strangers"}),
    ("the level of an organization", lambda cast: hold(cast.strangers), {"strangers"}),
    ("the level of the account that pays", lambda cast: hold(cast.postpaid), {"acme"}),
    ("the level of another account", lambda cast: hold(cast.prepaid), set()),
]


@pytest.mark.parametrize(("act", "marked"), [(act, marked) for _, act, marked in MARKS], ids=[one[0] for one in MARKS])
def test_what_limits_depend_on_marks_exactly_whom_it_concerns(
    cast: Cast, three: dict[str, Organization], act: Callable[[Cast], Any], marked: set[str]
) -> None:
    assert due() == set()
    act(cast)
    assert due() == {three[name].pk for name in marked}
    assert quota_limits.drain(NOON + DAY) == len(marked)
    assert due() == set()
    assert quota_limits.drain(NOON + DAY) == 0


def test_a_policy_that_is_unset_marks_as_well(cast: Cast, three: dict[str, Organization]) -> None:
    set_limit("plan", the_plan("pro-pool"))
    quota_limits.drain(NOON)
    unset_value("quotas.projects_limit", scope="plan", scope_id=the_plan("pro-pool"), at=NOON, **BY)
    assert due() == {cast.acme.pk}


def test_004_27_the_projects_limit_of_a_plan_counts_overhead_for_its_organizations_alone(cast: Cast) -> None:
    publish(catalog_document(systemOverhead=OVERHEAD))
    assign(cast.acme, "pro-pool", {"turbo-x1": 1})
    assign(cast.strangers, "scale-pool")
    before = requests(cast.strangers)
    set_limit("plan", the_plan("pro-pool"))
    assert quota_limits.drain(NOON) == 1
    assert requests(cast.acme) == ("10300m", "29056Mi", "180Gi")
    assert requests(cast.strangers) == before
    set_value("quotas.projects_limit", 0, scope="tenant", scope_id=cast.acme.pk, at=NOON, **BY)
    quota_limits.drain(NOON)
    assert requests(cast.acme) == ("10", "28Gi", "180Gi")  # the organization's own is more specific


def test_an_organization_that_is_marked_often_is_computed_once(cast: Cast, three: dict[str, Organization]) -> None:
    for _ in range(3):
        quota_limits.mark_due([cast.acme.pk, cast.acme.pk], at=NOON)
    quota_limits.mark_everyone(at=NOON)
    assert quota_limits.drain(NOON) == 2
    assert due() == set()


def test_what_did_not_change_is_not_written_and_nobody_is_told(cast: Cast, three: dict[str, Organization]) -> None:
    told = OutboxMessage.objects.filter(topic="quotas.quota_changed").count()
    before = list(Limit.objects.order_by("pk").values())
    quota_limits.mark_everyone(at=NOON + DAY)
    assert quota_limits.drain(NOON + DAY) == 2
    assert list(Limit.objects.order_by("pk").values()) == before
    assert OutboxMessage.objects.filter(topic="quotas.quota_changed").count() == told


def test_a_drain_asks_as_much_for_two_hundred_as_for_ten(cast: Cast) -> None:
    publish()
    one_person_publishes()
    asked = {}
    for count, code, overhead in ((10, "pro-pool", "100m"), (200, "scale-pool", "200m")):
        many(cast, count, code)
        quota_limits.drain(NOON)
        publish(catalog_document(systemOverhead={**OVERHEAD, "cpuPerProject": overhead}), at=NOON + DAY)
        with CaptureQueriesContext(connection) as queries:
            quota_limits.drain(NOON + DAY)
        asked[count] = len(queries)
    assert asked[200] == asked[10]


def test_an_add_on_that_is_switched_off_grants_nothing(cast: Cast) -> None:
    """001-06, by the drain: the kill switch reaches who holds it already."""
    publish()
    one_person_publishes()
    assign(cast.acme, "pro-pool", {"turbo-x1": 2, "turbo-x2": 1})
    document = catalog_document()
    document["addons"]["turbo-x1"]["disabled"] = True
    publish(document, at=NOON + DAY)
    quota_limits.drain(NOON + DAY)
    assert requests(cast.acme) == ("12", "32Gi", "200Gi")


@pytest.mark.parametrize(("existing", "cpu"), [("keep", "8"), ("move", "12")])
def test_a_publication_moves_existing_limits_only_where_it_says_so(cast: Cast, existing: str, cpu: str) -> None:
    publish()
    one_person_publishes()
    assign(cast.acme, "pro-pool")
    larger = catalog_document()
    larger["plans"]["pro-pool"] = plan("12", "24Gi", "160Gi", objectStorage=100, pods=200)
    publish(larger, existing=existing, at=NOON + DAY)
    quota_limits.drain(NOON + DAY)
    assert hard(cast.acme)["requests.cpu"] == cpu


def test_a_plan_that_leaves_the_address_quota_is_no_longer_enforced(cast: Cast) -> None:
    publish()
    one_person_publishes()
    assign(cast.acme, "pro-pool")
    assert limits(cast.acme)[LimitKind.EXTERNAL_IPS].values == {"public": "1"}
    publish(catalog_document(eipQuota={"dev-pool": 1}), at=NOON + DAY)
    quota_limits.drain(NOON + DAY)
    assert LimitKind.EXTERNAL_IPS not in limits(cast.acme)


def test_a_project_s_own_quota_is_not_computed_away(cast: Cast, three: dict[str, Organization]) -> None:
    set_project_quota(cast.project, {"cpu": "2"}, at=NOON, **BY)
    quota_limits.mark_everyone(at=NOON)
    quota_limits.drain(NOON)
    move(cast.acme.subscription, "suspended")
    assert Limit.objects.get(project=cast.project).values == {"requests.cpu": "2"}


def test_limits_keep_their_rules(cast: Cast, three: dict[str, Organization]) -> None:
    def insert(kind: str, organization: int, project: int | None) -> None:
        execute(
            "INSERT INTO limits (organization_id, project_id, kind, name, values, labels, plan_code, auto_managed,"
            " computed_at) VALUES (%s, %s, %s, 'x', '{}', '{}', '', true, now())",
            [organization, project, kind],
        )

    acme, project = cast.acme.pk, cast.project.pk
    with refused_by("one_limit_of_a_kind"):
        insert("hierarchical_resource_quota", acme, None)
    with refused_by("limit_kind_is_known"):
        insert("wishes", acme, None)
    with refused_by("limit_of_a_project_is_its_quota"):
        insert("object_storage", acme, project)
    with refused_by("limit_of_a_project_is_its_quota"):
        insert("project_quota", acme, None)
    with refused_by("limit_project_of_the_organization"):
        insert("project_quota", cast.strangers.pk, project)
    insert("project_quota", acme, project)
    with refused_by("one_limit_of_a_kind"):
        insert("project_quota", acme, project)
