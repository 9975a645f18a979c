"""The limits of organizations as rows: computed from what they hold, for one in its act or for all in a drain.

Whoever changes what limits depend on for many (a publication, a policy, an enforcement level) marks them due; the
drain claims, computes, writes and unmarks in one transaction a batch.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection, transaction

from accounts.models import Organization
from accounts.outbox import emit_each
from accounts.public_ids import encode
from quotas import topics
from quotas.catalog_in_force import catalog_of, newest
from quotas.holdings import holdings
from quotas.limit_rows import Row, rows
from quotas.models import Limit, LimitKind

BATCH = 1000
_DERIVED = [kind for kind in LimitKind.values if kind != LimitKind.PROJECT_QUOTA]
_WRITTEN = ["name", "values", "labels", "plan_code", "auto_managed", "computed_at"]


def mark_due(organization_ids: Iterable[int], *, at: datetime) -> int:
    """Let the next drain compute the limits of these organizations; how many were not marked yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO limits_due (organization_id, since) SELECT DISTINCT id, %s::timestamptz"
            " FROM unnest(%s::bigint[]) AS id ORDER BY id ON CONFLICT DO NOTHING",
            [at, list(organization_ids)],
        )
        return int(cursor.rowcount)


def mark_everyone(*, at: datetime, plan_id: int | None = None) -> int:
    """Mark every organization that has a subscription, or those that hold one plan."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO limits_due (organization_id, since) SELECT organization_id, %s::timestamptz"
            " FROM subscriptions WHERE %s::bigint IS NULL OR plan_id = %s ORDER BY 1 ON CONFLICT DO NOTHING",
            [at, plan_id, plan_id],
        )
        return int(cursor.rowcount)


def drain(at: datetime, *, batch: int = BATCH) -> int:
    """Compute all that is due; how many organizations. Two drains at once share the work."""
    total = 0
    while count := _drain_batch(at, batch):
        total += count
    return total


@transaction.atomic
def _drain_batch(at: datetime, batch: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM limits_due WHERE organization_id IN (SELECT organization_id FROM limits_due"
            " ORDER BY organization_id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING organization_id",
            [batch],
        )
        claimed = sorted(key for (key,) in cursor.fetchall())
    if claimed:
        # The lock of whoever changes a subscription: what is read here is what is in force when it is written.
        list(Organization.objects.select_for_update(no_key=True).filter(pk__in=claimed).order_by("pk").values("pk"))
        recompute(claimed, at=at)
    return len(claimed)


@transaction.atomic
def recompute(organization_ids: Collection[int], *, at: datetime) -> int:
    """Write the limits of these organizations; how many changed. The caller holds the organizations' locks.

    A limit range that is not ours to manage is left as it is.
    """
    current = newest()
    held = holdings(organization_ids) if current else {}
    catalog = catalog_of(current) if current else None
    wanted = {key: rows(one, catalog) for key, one in held.items()} if catalog else {}
    kept: defaultdict[int, dict[str, Limit]] = defaultdict(dict)
    for limit in Limit.objects.filter(organization_id__in=organization_ids, kind__in=_DERIVED):
        kept[limit.organization_id][limit.kind] = limit
    changed = _write(wanted, kept, at) | _remove(organization_ids, wanted, kept)
    _tell(changed, wanted, at)
    return len(changed)


def _write(wanted: dict[int, list[Row]], kept: dict[int, dict[str, Limit]], at: datetime) -> set[int]:
    changed = []
    for organization_id, found in wanted.items():
        for row in found:
            limit = kept[organization_id].get(row.kind) if organization_id in kept else None
            if limit and (not limit.auto_managed or _same(limit, row)):
                continue
            changed.append(
                Limit(
                    organization_id=organization_id,
                    kind=row.kind,
                    name=row.name,
                    values=dict(row.values),
                    labels=dict(row.labels),
                    plan_code=row.plan_code,
                    computed_at=at,
                )
            )
    Limit.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["organization", "project", "kind"],
        update_fields=_WRITTEN,
        batch_size=BATCH,
    )
    return {limit.organization_id for limit in changed}


def _remove(
    organization_ids: Collection[int], wanted: dict[int, list[Row]], kept: dict[int, dict[str, Limit]]
) -> set[int]:
    gone = [
        limit
        for organization_id in organization_ids
        for kind, limit in kept.get(organization_id, {}).items()
        if limit.auto_managed and kind not in {row.kind for row in wanted.get(organization_id, ())}
    ]
    if gone:
        Limit.objects.filter(pk__in=[limit.pk for limit in gone]).delete()
    return {limit.organization_id for limit in gone}


def _same(limit: Limit, row: Row) -> bool:
    return (limit.name, limit.values, limit.labels, limit.plan_code) == (
        row.name,
        dict(row.values),
        dict(row.labels),
        row.plan_code,
    )


def _tell(changed: Collection[int], wanted: dict[int, list[Row]], at: datetime) -> None:
    payloads = {
        key: {
            "organization": encode(Organization.PUBLIC_PREFIX, key),
            "limits": {row.kind: dict(row.values) for row in wanted.get(key, ())},
        }
        for key in sorted(changed)
    }
    emit_each(topics.QUOTA_CHANGED, payloads, at=at)
