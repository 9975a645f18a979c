"""What is due in the cluster. The database is the queue; a try that failed is tried again for as long as it takes.

1. Claim the row that is due longest with FOR UPDATE SKIP LOCKED, count the try, hold the row for two minutes, commit.
2. Call the cluster with no transaction open.
3. Mark the outcome. Where another wish came meanwhile (`generation`), the row stays due. Where the hold ran out and
   another worker took over, only that one's outcome counts; both read the cluster before they read our rows and write
   what they read or nothing, so the older of two wishes never lands on the newer.
4. A worker killed in between leaves a row that is due again when its hold ends.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet

from quotas.kubernetes.cluster import ClusterError, Unreachable
from quotas.models import ClusterSync

log = structlog.get_logger(__name__)

HELD = timedelta(minutes=2)
BUSY = timedelta(seconds=4)
_FIRST_DELAY_SECONDS = 5
_LONGEST_DELAY_SECONDS = 300

_MARK = """
INSERT INTO cluster_syncs (organization_id, generation, next_attempt_at, attempts, last_error, left_alone, refused,
                           refused_digest, followed_digest)
SELECT id, 1, %(at)s, 0, '', '[]', '', '', '' FROM unnest(%(ids)s::bigint[]) AS id ORDER BY id
ON CONFLICT (organization_id) DO UPDATE SET generation = cluster_syncs.generation + 1, next_attempt_at = %(at)s
"""
_CLAIM = """
SELECT * FROM cluster_syncs
WHERE next_attempt_at <= %(at)s AND (held_until IS NULL OR held_until <= %(at)s)
ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True)
class Outcome:
    """What a call left behind: objects that are not ours, and an instruction that was not followed, and why."""

    left_alone: list[str] = field(default_factory=list)
    refused: str = ""
    refused_digest: str = ""


Apply = Callable[[ClusterSync, datetime], Outcome]
Clock = Callable[[], datetime]


def mark(organization_ids: Collection[int | None], *, at: datetime) -> None:
    """These organizations (None: the catalog) are to be looked at in the cluster, in the caller's transaction."""
    if organization_ids:
        with connection.cursor() as cursor:
            cursor.execute(_MARK, {"ids": sorted(organization_ids, key=lambda key: key or 0), "at": at})


def backoff(attempts: int) -> timedelta:
    """How long to wait after that many failed tries: 5 s, doubling, five minutes at most."""
    return timedelta(seconds=min(_FIRST_DELAY_SECONDS * 2 ** (min(attempts, 10) - 1), _LONGEST_DELAY_SECONDS))


def anything_due(at: datetime) -> bool:
    return ClusterSync.objects.filter(next_attempt_at__lte=at).exists()


def work_off(apply: Apply, now: Clock, *, limit: int) -> int:
    """Take up to `limit` rows that are due, one after another, each at its own moment; the number tried. It ends after
    a few seconds, so that a worker of one process bills in between, and where a server does not answer: the others
    would wait for the same."""
    began = now()
    for tried in range(limit):
        at = now()
        row = _claim(at) if at - began < BUSY else None
        if row is None:
            return tried
        try:
            outcome = apply(row, at)
        except Unreachable as error:
            _failed(row, error, at)
            return tried + 1
        except Exception as error:  # noqa: BLE001 - whatever one organization raises holds up no other
            _failed(row, error, at)
        else:
            _done(row, outcome, at)
    return limit


def _claim(at: datetime) -> ClusterSync | None:
    with transaction.atomic(durable=True):
        row = next(iter(ClusterSync.objects.raw(_CLAIM, {"at": at})), None)
        if row is None:
            return None
        row.attempts += 1
        row.held_until = at + HELD
        row.save(update_fields=["attempts", "held_until"])
        return row


def _failed(row: ClusterSync, error: Exception, at: datetime) -> None:
    log.warning(
        "cluster_sync_failed", organization=row.organization_id, attempts=row.attempts, error=type(error).__name__
    )
    words = str(error) if isinstance(error, ClusterError) else f"{type(error).__name__}: {error}"
    text = words.encode("utf-8", "replace").decode().replace("\x00", "?")[:2000]
    _held(row).update(held_until=None, last_error=text, next_attempt_at=at + backoff(row.attempts))


def _done(row: ClusterSync, outcome: Outcome, at: datetime) -> None:
    facts = {
        "left_alone": outcome.left_alone,
        "refused": outcome.refused,
        "refused_digest": outcome.refused_digest,
        "followed_digest": "",
        "last_error": "",
        "applied_at": at,
        "attempts": 0,
        "held_until": None,
    }
    with transaction.atomic():
        ours = _held(row)
        ours.filter(generation=row.generation).update(next_attempt_at=None)
        ours.update(**facts)


def _held(row: ClusterSync) -> QuerySet[ClusterSync]:
    """The row, unless another worker took it over when our hold ran out."""
    return ClusterSync.objects.filter(pk=row.pk, held_until=row.held_until)


def note_followed(row: ClusterSync, digest: str) -> None:
    """In the transaction that follows an instruction: should our answer not reach the cluster, it is not read as a new
    one after later changes of ours."""
    row.followed_digest = digest
    ClusterSync.objects.filter(pk=row.pk).update(followed_digest=digest)
