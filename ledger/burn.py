"""Burn: what the running allocations of an account cost an hour, in minor units of its currency."""

from collections.abc import Collection
from datetime import datetime

from accounts import prepared
from accounts.currencies import EXPONENTS

# Running allocations come from the cursors, which know what has started and not ended, and of which SKU. Rows are
# locked in id order, as every writer of many of them does.
_REFRESH = """
WITH held AS MATERIALIZED (
    SELECT billing_account_id FROM balance_states WHERE billing_account_id = ANY(%(ids)s::bigint[])
    ORDER BY billing_account_id FOR NO KEY UPDATE
), burning AS (
    SELECT b.id, coalesce(b.test_now, %(at)s::timestamptz) AS at, coalesce((
        SELECT sum(running.quantity * p.rate_per_unit_hour)
        FROM (
            SELECT c.sku_id, sum(q.quantity) AS quantity FROM billing_account_bindings bound
            JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done AND c.ends_at IS NULL
            JOIN allocation_quantities q ON q.allocation_id = c.allocation_id AND q.effective_to IS NULL
            WHERE bound.billing_account_id = b.id AND bound.phase = 'Active' GROUP BY c.sku_id
        ) running
        JOIN LATERAL (
            SELECT r.rate_per_unit_hour FROM sku_rates r
            WHERE r.sku_id = running.sku_id AND r.currency = b.currency
              AND r.effective_from <= coalesce(b.test_now, %(at)s::timestamptz)
            ORDER BY r.effective_from DESC LIMIT 1
        ) p ON true
    ), 0) * x.scale AS burn
    FROM held
    JOIN billing_accounts b ON b.id = held.billing_account_id AND b.settlement = 'prepaid'
    JOIN unnest(%(currencies)s::text[], %(scales)s::numeric[]) AS x (currency, scale) ON x.currency = b.currency
)
UPDATE balance_states s SET burn_minor_per_hour = burning.burn, burn_at = burning.at,
    healthy_above_minor = CASE WHEN s.burn_minor_per_hour = burning.burn THEN s.healthy_above_minor END,
    rates_seen = (SELECT coalesce(max(id), 0) FROM sku_rates)
FROM burning WHERE s.billing_account_id = burning.id
RETURNING s.billing_account_id
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
