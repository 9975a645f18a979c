"""A publication recomputes the limits of every organization in one drain. Prints time as a ratio to the bare writes of
the same rows in the same run, and the number of queries; fails only where what is written is wrong."""

import json
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization
from billing_site.roles import as_owner
from quotas import limits
from quotas.models import CatalogItemVersion, CatalogPrice, Limit, LimitKind, Subscription, SubscriptionItem
from tests.cast import NOON, Cast
from tests.quotas.plans import catalog_document, publish
from tests.quotas.subscription_scene import one_person_publishes

LATER = NOON + timedelta(days=1)
KINDS = 4  # limits of one organization

PLANS = ("dev-pool", "pro-pool", "scale-pool")


def subscribe(organizations: list[Organization]) -> None:
    """A plan and an add-on each, written beneath the acts: only the publication and its drain are measured."""
    sold = {price.item.code: price for price in CatalogPrice.objects.filter(currency="EUR").select_related("item")}
    subscriptions = Subscription.objects.bulk_create(
        Subscription(
            organization=organization,
            status="active",
            currency="EUR",
            interval="month",
            anchor_at=NOON,
            period_start=NOON,
            period_end=NOON + timedelta(days=31),
            due_at=NOON + timedelta(days=31),
            created_at=NOON,
        )
        for organization in organizations
    )
    SubscriptionItem.objects.bulk_create(
        SubscriptionItem(
            subscription=subscription,
            organization_id=subscription.organization_id,
            kind=price.item.kind,
            item=price.item,
            version_id=price.version_id,
            price=price,
            quantity=count,
            effective_from=NOON,
        )
        for number, subscription in enumerate(subscriptions)
        for price, count in ((sold[PLANS[number % 3]], 1), (sold["turbo-x1"], 1 + number % 5))
    )


def build(cast: Cast, count: int) -> None:
    publish()
    one_person_publishes()
    subscribe(
        Organization.objects.bulk_create(
            Organization(name=f"Bench {number}", slug=f"bench-{number}", owner=cast.charlie, created_at=NOON)
            for number in range(count)
        )
    )
    limits.mark_everyone(at=NOON)
    assert limits.drain(NOON) == count
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def bare_writes() -> float:
    """Seconds of writing the same rows again, one UPDATE each, into a twin of the table with no foreign key; and of
    as many messages as organizations."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_limits (LIKE limits INCLUDING ALL)")
        cursor.execute("INSERT INTO bare_limits SELECT * FROM limits")
        cursor.execute("SELECT id, values::text FROM limits ORDER BY id")
        rows = [(json.dumps(json.loads(text)), key) for key, text in cursor.fetchall()]
        begun = time.perf_counter()
        cursor.executemany("UPDATE bare_limits SET values = %s::jsonb, computed_at = now() WHERE id = %s", rows)
        spent = time.perf_counter() - begun
        cursor.execute("DROP TABLE bare_limits")
    return spent


@pytest.mark.benchmark
@pytest.mark.parametrize("count", [1_000, 3_000, 10_000])
def test_a_publication_recomputes_every_organization_in_one_drain(committed_db: str, cast: Cast, count: int) -> None:
    build(cast, count)
    document = catalog_document(systemOverhead={"cpuPerProject": "100m", "memPerProject": "128Mi"})
    for terms in document["plans"].values():
        terms["pods"] += 1
        terms["limitRange"]["minMemory"] = "2Mi"
        terms["objectStorage"] += 1
    document["eipQuota"] = {code: allowed + 1 for code, allowed in document["eipQuota"].items()}
    begun = time.perf_counter()
    publish(document, existing="move", at=LATER)
    published = time.perf_counter() - begun
    with CaptureQueriesContext(connection) as queries:
        begun = time.perf_counter()
        assert limits.drain(LATER) == count
        drained = time.perf_counter() - begun
    fresh = Limit.objects.filter(computed_at=LATER, organization__slug__startswith="bench-")
    assert fresh.count() == KINDS * count
    pods = Limit.objects.filter(kind=LimitKind.HIERARCHICAL_RESOURCE_QUOTA, values__pods__in=["101", "201", "501"])
    assert pods.count() == count
    assert CatalogItemVersion.objects.filter(item__code="pro-pool").count() == 2
    reference = bare_writes()
    print(
        f"\n{count:,} organizations, {KINDS * count:,} limits: publication {published:.2f} s, drain {drained:.2f} s"
        f" in {len(queries)} queries, {1000 * drained / count:.2f} ms an organization,"
        f" {drained / reference:.2f} × as many bare updates ({reference:.2f} s)"
    )
