"""The ordered feed of events: what was committed is numbered in one order, from which no reader misses anything.

Ids of the outbox are given before their transaction commits, so that a smaller one may appear after a larger one was
read. Positions are given afterwards, by one at a time. An account's messages keep their order: the next one's
sequence is given under the account's lock, when the one before is committed.
"""

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import FeedEvent

MOST = 10_000
_ours: set[str] = set()  # topics that no customer reads
_NUMBER = """
WITH numbered AS (
    SELECT message_id, row_number() OVER (ORDER BY message_id) AS place
    FROM (SELECT message_id FROM event_feed WHERE position IS NULL ORDER BY message_id LIMIT %s) waiting
)
UPDATE event_feed f SET position = (SELECT coalesce(max(position), 0) FROM event_feed) + n.place
FROM numbered n WHERE f.message_id = n.message_id
"""


@transaction.atomic
def number_committed() -> int:
    """Give the next positions to what was committed since; how many. Only one does so at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('event feed', 0))")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_NUMBER, [MOST])
        return int(cursor.rowcount)


def keep_from_customers(*topics: str) -> None:
    """Called by the room that emits them, when the site starts."""
    _ours.update(topics)


def of_customers(events: QuerySet[FeedEvent]) -> QuerySet[FeedEvent]:
    """Without those topics that are our own business."""
    return events.exclude(message__topic__in=_ours)


def after(position: int) -> QuerySet[FeedEvent]:
    """Numbered events behind a position, in their order, each with its message."""
    return FeedEvent.objects.filter(position__gt=position).select_related("message").order_by("position")
