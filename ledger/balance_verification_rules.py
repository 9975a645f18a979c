"""What must hold of balance states and of what followed from them; read with verification_rules.py."""

from ledger.balances import WALLET_HEAD
from ledger.verification_rules import Rule

BALANCE_RULES = (
    Rule(
        "balance_state_follows_the_balance",
        "a prepaid account is depleted exactly where its wallet has entries and holds nothing",
        f"""
        SELECT s.billing_account_id,
               format('%%s at a balance of %%s', s.state, coalesce(head.balance_after::text, 'none'))
        FROM balance_states s
        JOIN billing_accounts b ON b.id = s.billing_account_id
        {WALLET_HEAD}
        WHERE (s.state = 'depleted') <> coalesce(head.balance_after <= 0, false) AND NOT s.judge_due
        """,  # noqa: S608 - a constant of ours
        full_only=True,
    ),
    Rule(
        "healthy_balance_is_above_its_bound",
        "a healthy account that is not to be judged holds more than the bound that lets its postings go unjudged",
        f"""
        SELECT s.billing_account_id, format('%%s, healthy above %%s', head.balance_after, s.healthy_above_minor)
        FROM balance_states s
        JOIN billing_accounts b ON b.id = s.billing_account_id
        {WALLET_HEAD}
        WHERE s.state = 'healthy' AND NOT s.judge_due AND head.balance_after <= s.healthy_above_minor
        """,  # noqa: S608 - a constant of ours
        full_only=True,
    ),
    Rule(
        "balance_state_has_its_rows",
        "an open episode where not healthy, an open depletion where depleted, and the level that belongs to it",
        """
        SELECT s.billing_account_id, format('%%s: episode %%s, depletion %%s, level %%s', s.state, e.id, d.id, r.level)
        FROM balance_states s
        LEFT JOIN low_balance_events e ON e.billing_account_id = s.billing_account_id AND e.closed_at IS NULL
        LEFT JOIN depletions d ON d.billing_account_id = s.billing_account_id AND d.closed_at IS NULL
        LEFT JOIN enforcement_reasons r ON r.billing_account_id = s.billing_account_id AND r.source = 'balance'
            AND r.closed_at IS NULL
        WHERE (s.state = 'healthy') <> (e.id IS NULL) OR (s.state = 'depleted') <> (d.id IS NOT NULL)
           OR coalesce(r.level, 'full') <> CASE s.state WHEN 'healthy' THEN 'full' WHEN 'depleted' THEN 'halted'
                                           ELSE 'warn' END
        """,
        full_only=True,
    ),
    Rule(
        "burn_is_what_runs",
        "the burn a balance is judged by is the sum of rate and quantity of what runs",
        """
        SELECT s.billing_account_id, format('burn %%s, by what runs %%s', s.burn_minor_per_hour, f.burn)
        FROM balance_states s
        JOIN billing_accounts b ON b.id = s.billing_account_id
        JOIN unnest(%(currencies)s::text[], %(scales)s::numeric[]) AS x (currency, scale) ON x.currency = b.currency
        LEFT JOIN (
            SELECT bound.billing_account_id, sum(q.quantity * (
                SELECT p.rate_per_unit_hour FROM sku_rates p
                WHERE p.sku_id = al.sku_id AND p.currency = b.currency AND p.effective_from <= s.burn_at
                ORDER BY p.effective_from DESC LIMIT 1
            )) AS burn
            FROM allocations al
            JOIN billing_account_bindings bound ON bound.project_id = al.project_id AND bound.phase = 'Active'
            JOIN billing_accounts b ON b.id = bound.billing_account_id
            JOIN balance_states s ON s.billing_account_id = b.id
            JOIN allocation_quantities q ON q.allocation_id = al.id AND q.effective_to IS NULL
            WHERE al.status IN ('active', 'releasing') GROUP BY 1
        ) f ON f.billing_account_id = s.billing_account_id
        WHERE s.burn_minor_per_hour <> coalesce(f.burn, 0) * x.scale AND NOT s.judge_due
          AND s.rates_seen = (SELECT coalesce(max(id), 0) FROM sku_rates)
        """,
        full_only=True,
    ),
    Rule(
        "only_tails_are_waived",
        "usage in the tail of a depletion that was known when it was billed is waived, and no other",
        """
        SELECT u.id, format('cost %%s, waived %%s', u.cost_minor, u.waived_minor)
        FROM usage_records u
        CROSS JOIN LATERAL (
            SELECT coalesce(
                range_agg(tstzrange(d.tail_from, d.tail_until)) @> tstzrange(u.interval_start, u.interval_end), false
            ) AS inside
            FROM depletions d WHERE d.billing_account_id = u.billing_account_id AND d.tail_until > u.interval_start
        ) tail
        WHERE (NOT tail.inside AND u.waived_minor > 0) OR (tail.inside AND u.cost_minor > 0 AND EXISTS (
            SELECT FROM ledger_entries e
            JOIN depletions d ON d.billing_account_id = u.billing_account_id AND d.requested_at <= e.effective_at
            WHERE e.ledger_account_id = u.ledger_account_id AND e.account_seq = u.account_seq
            HAVING range_agg(tstzrange(d.tail_from, d.tail_until)) @> tstzrange(u.interval_start, u.interval_end)
        ))
        """,
        full_only=True,
    ),
)
