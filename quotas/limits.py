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
from quotas.models import Limit, LimitKind, LimitsDue

BATCH = 1000
_DERIVED = [kind for kind in LimitKind.values if kind != LimitKind.PROJECT_QUOTA]
_WRITTEN = ["name", "values", "labels", "plan_code", "auto_managed", "computed_at"]


def mark_due(organization_ids: Iterable[int], *, at: datetime) -> int:
    """Let the next drain compute the limits of these organizations; how many. It waits for no lock."""
    marks = [LimitsDue(organization_id=key, since=at) for key in sorted(set(organization_ids))]
    return len(LimitsDue.objects.bulk_create(marks))


def mark_everyone(*, at: datetime, plan_id: int | None = None) -> int:
    """Mark every organization that has a subscription, or those that hold one plan; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO limits_due (organization_id, since) SELECT organization_id, %s::timestamptz"
            " FROM subscriptions WHERE %s::bigint IS NULL OR plan_id = %s",
            [at, plan_id, plan_id],
        )
        return int(cursor.rowcount)


def drain(at: datetime, *, batch: int = BATCH) -> int:
    """Compute all that is due; how many organizations. Two drains at once share the work."""
    total = 0
    while count := _drain_batch(at, batch):
        total += count
    return total


# Organizations that somebody is changing are left for the next ring: their act computes their limits itself.
_CLAIM = """
SELECT o.id FROM organizations o WHERE o.id IN (SELECT organization_id FROM limits_due)
ORDER BY o.id LIMIT %s FOR NO KEY UPDATE OF o SKIP LOCKED
"""


@transaction.atomic
def _drain_batch(at: datetime, batch: int) -> int:
    """The organizations' locks first, then the marks: a mark that is gone was committed before its facts are read."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [batch])
        claimed = [key for (key,) in cursor.fetchall()]
    if claimed:
        LimitsDue.objects.filter(organization_id__in=claimed).delete()
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
