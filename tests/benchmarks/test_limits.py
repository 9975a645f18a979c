"""A publication recomputes the limits of every organization in one drain. Prints time as a ratio to the bare writes of
the same rows in the same run, and the number of queries; fails only where what is written is wrong."""

import json
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.roles import as_owner
from quotas import limits
from quotas.models import CatalogItemVersion, Limit, LimitKind
from tests.cast import NOON, Cast
from tests.quotas.plans import catalog_document, publish
from tests.quotas.subscription_scene import one_person_publishes

LATER = NOON + timedelta(days=1)
KINDS = 4  # limits of one organization

# Organizations with a plan and an add-on each, written beneath the acts: only the drain is measured.
_ORGANIZATIONS = """
INSERT INTO organizations (name, slug, personal, owner_id, created_at)
SELECT 'Bench ' || n, 'bench-' || n, false, %(owner)s, %(at)s FROM generate_series(1, %(count)s) AS n
"""
_SUBSCRIPTIONS = """
INSERT INTO subscriptions (organization_id, plan_id, status, biller, currency, interval, time_zone, anchor_at,
                           period_start, period_end, created_at, due_at)
SELECT o.id, NULL, 'active', 'us', 'EUR', 'month', 'UTC', %(at)s, %(at)s, %(at)s + interval '1 month', %(at)s,
       %(at)s + interval '1 month'
FROM organizations o WHERE o.slug LIKE 'bench-%%'
"""
_ITEMS = """
INSERT INTO subscription_items (subscription_id, organization_id, kind, item_id, version_id, price_id, quantity,
                                effective_from)
SELECT s.id, s.organization_id, v.kind, v.item_id, v.version_id, v.price_id,
       CASE v.kind WHEN 'plan' THEN 1 ELSE 1 + s.id %% 5 END, %(at)s
FROM subscriptions s
JOIN organizations o ON o.id = s.organization_id AND o.slug LIKE 'bench-%%'
CROSS JOIN LATERAL (
    SELECT i.kind, i.id AS item_id, ver.id AS version_id, p.id AS price_id
    FROM catalog_items i JOIN catalog_item_versions ver ON ver.item_id = i.id
    JOIN catalog_prices p ON p.version_id = ver.id AND p.currency = 'EUR'
    WHERE i.code = ANY (ARRAY[(ARRAY['dev-pool', 'pro-pool', 'scale-pool'])[1 + s.id %% 3], 'turbo-x1'])
) AS v
"""


def build(cast: Cast, count: int) -> None:
    publish()
    one_person_publishes()
    values = {"owner": cast.charlie.pk, "at": NOON, "count": count}
    with connection.cursor() as cursor:
        for statement in (_ORGANIZATIONS, _SUBSCRIPTIONS, _ITEMS):
            cursor.execute(statement, values)
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
