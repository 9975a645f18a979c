"""Daily totals: increments written with each act, folded by a task; what pages read is the two together."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

_FOLD = """
WITH gone AS (
    DELETE FROM daily_total_increments WHERE id IN (
        SELECT id FROM daily_total_increments ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ) RETURNING legal_entity_id, day, kind, currency, sum_minor, entry_count
), summed AS (
    SELECT legal_entity_id, day, kind, currency, sum(sum_minor) AS sum_minor, sum(entry_count) AS entry_count,
           count(*) AS increments
    FROM gone GROUP BY 1, 2, 3, 4
), folded AS (
    INSERT INTO daily_totals AS t (legal_entity_id, day, kind, currency, sum_minor, entry_count)
    SELECT legal_entity_id, day, kind, currency, sum_minor, entry_count FROM summed ORDER BY 1, 2, 3, 4
    ON CONFLICT (legal_entity_id, day, kind, currency) DO UPDATE
        SET sum_minor = t.sum_minor + excluded.sum_minor, entry_count = t.entry_count + excluded.entry_count
)
SELECT coalesce(sum(increments), 0)::bigint FROM summed
"""
_READ = """
SELECT day, kind, currency, sum(sum_minor)::bigint, sum(entry_count)::bigint FROM (
    SELECT day, kind, currency, sum_minor, entry_count FROM daily_totals
    UNION ALL SELECT day, kind, currency, sum_minor, entry_count FROM daily_total_increments
) t WHERE day BETWEEN %s AND %s AND kind = ANY(%s) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_NEWEST_DAY = """
SELECT coalesce(max((now.at AT TIME ZONE le.time_zone)::date), max((now.at AT TIME ZONE 'UTC')::date))
FROM (SELECT %s::timestamptz AS at) now LEFT JOIN legal_entities le
    ON EXISTS (SELECT FROM daily_totals t WHERE t.legal_entity_id = le.id AND t.day >= now.at::date - 31)
    OR EXISTS (SELECT FROM daily_total_increments i WHERE i.legal_entity_id = le.id AND i.day >= now.at::date - 31)
"""


@dataclass(frozen=True)
class DayTotal:
    """Sum (credits positive, minor units) and count of a kind's entries on a day of the legal entity's time zone."""

    day: date
    kind: str
    currency: str
    sum_minor: int
    entry_count: int


def fold(*, batch: int = 20_000) -> int:
    """Fold waiting increments into the totals; each increment once, whatever runs beside it. Returns how many."""
    folded = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_FOLD, [batch])
            count = int(cursor.fetchone()[0])
        folded += count
        if count < batch:
            return folded


def newest_day(at: datetime) -> date:
    """The newest day that has begun in the time zone of any legal entity of which there are totals of late."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_DAY, [at])
        day: date = cursor.fetchone()[0]
        return day


def read(first: date, last: date, kinds: Collection[str]) -> list[DayTotal]:
    """The totals of some kinds over days, folded or not, over all legal entities."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [first, last, list(kinds)])
        return [DayTotal(*row) for row in cursor.fetchall()]
