"""Burn: what the running allocations of an account cost an hour, in minor units of its currency."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from accounts import prepared
from accounts.currencies import EXPONENTS

# A rate that was set or came into force since makes a stored burn stale. Running allocations come from the cursors,
# which know what is not billed to its end.
_REFRESH = """
WITH burning AS (
    SELECT b.id, coalesce(b.test_now, %(at)s::timestamptz) AS at, coalesce((
        SELECT sum(q.quantity * p.rate_per_unit_hour) FROM billing_account_bindings bound
        JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
        JOIN allocations al ON al.id = c.allocation_id AND al.status IN ('active', 'releasing')
        JOIN allocation_quantities q ON q.allocation_id = al.id AND q.effective_to IS NULL
        JOIN LATERAL (
            SELECT r.rate_per_unit_hour FROM sku_rates r
            WHERE r.sku_id = al.sku_id AND r.currency = b.currency
              AND r.effective_from <= coalesce(b.test_now, %(at)s::timestamptz)
            ORDER BY r.effective_from DESC LIMIT 1
        ) p ON true
        WHERE bound.billing_account_id = b.id AND bound.phase = 'Active'
    ), 0) * x.scale AS burn
    FROM billing_accounts b
    JOIN unnest(%(currencies)s::text[], %(scales)s::numeric[]) AS x (currency, scale) ON x.currency = b.currency
    WHERE b.id = ANY(%(ids)s::bigint[]) AND b.settlement = 'prepaid'
)
UPDATE balance_states s SET burn_minor_per_hour = burning.burn, burn_at = burning.at,
    rates_seen = (SELECT coalesce(max(id), 0) FROM sku_rates)
FROM burning WHERE s.billing_account_id = burning.id
RETURNING s.billing_account_id
"""
_STALE = """
SELECT s.billing_account_id FROM balance_states s
JOIN billing_accounts b ON b.id = s.billing_account_id
CROSS JOIN (
    SELECT coalesce(max(id), 0) AS id, max(effective_from) FILTER (WHERE effective_from <= %(at)s) AS began
    FROM sku_rates
) newest
WHERE s.billing_account_id = ANY(%(ids)s)
  AND (s.rates_seen <> newest.id OR s.burn_at < newest.began OR b.test_now IS NOT NULL)
"""


def refresh(account_ids: Collection[int], at: datetime) -> None:
    """Work out what the prepaid ones among these burn at `at` (their test clock wins). The caller holds the locks."""
    prepared.rows(
        _REFRESH,
        {
            "ids": list(account_ids),
            "at": at,
            "currencies": list(EXPONENTS),
            "scales": [10**exponent for exponent in EXPONENTS.values()],
        },
    )


def refresh_stale(account_ids: Collection[int], at: datetime) -> None:
    """As `refresh`, only where a rate was set or came into force since the burn was last worked out."""
    with connection.cursor() as cursor:
        cursor.execute(_STALE, {"ids": list(account_ids), "at": at})
        stale = [account_id for (account_id,) in cursor.fetchall()]
    if stale:
        refresh(stale, at)
