-- One tick for a set of locked billing accounts: every window due is rated, written and debited, in one statement.
-- The rule for one allocation stands in rating.py; a property test holds the two equal. The usage trigger moves the
-- cursors. Parameters: account_ids, at, window_seconds (global policy), max_windows, currencies, scales, actor,
-- correlation_id.
WITH account AS MATERIALIZED (
    SELECT b.id, b.legal_entity_id, b.currency, x.scale, coalesce(b.test_now, %(at)s) AS at, le.time_zone,
           make_interval(secs => coalesce(w.value::text::int, %(window_seconds)s)) AS width,
           customer.id AS customer_la, customer.kind AS customer_kind, revenue.id AS revenue_la
    FROM billing_accounts b
    JOIN legal_entities le ON le.id = b.legal_entity_id
    JOIN unnest(%(currencies)s::text[], %(scales)s::numeric[]) AS x (currency, scale) ON x.currency = b.currency
    JOIN ledger_accounts customer ON customer.billing_account_id = b.id AND customer.currency = b.currency
        AND customer.detail = '' AND customer.legal_entity_id = b.legal_entity_id
        AND customer.kind = CASE b.settlement WHEN 'prepaid' THEN 'wallet' ELSE 'unbilled' END
    JOIN ledger_accounts revenue ON revenue.legal_entity_id = b.legal_entity_id AND revenue.kind = 'usage_revenue'
        AND revenue.currency = b.currency AND revenue.billing_account_id IS NULL AND revenue.detail = ''
    LEFT JOIN policy_values w ON w.key = 'billing.window_seconds' AND w.scope = 'tenant'
        AND w.scope_id = b.organization_id
    WHERE b.id = ANY(%(account_ids)s)
),
-- Allocations whose cursor stands inside a binding of these accounts. After a rebind the old account bills its part
-- first; the new one follows when the cursor has reached it.
running AS MATERIALIZED (
    SELECT c.allocation_id, c.sku_id, c.accrued_to, c.started_at, c.ends_at, bound.established_at,
           bound.superseded_at, a.id AS account_id
    FROM account a
    JOIN billing_account_bindings bound ON bound.billing_account_id = a.id
    JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
    WHERE c.accrued_to >= bound.established_at AND c.accrued_to < coalesce(bound.superseded_at, 'infinity')
      AND c.accrued_to < a.at
),
-- Oldest first and bounded: all allocations of an account go on to one horizon.
bounded AS MATERIALIZED (
    SELECT a.*, r.oldest, r.allocations,
           least(a.at, date_bin(a.width, r.oldest, 'epoch')
               + a.width * greatest(1, %(max_windows)s::bigint / (sum(r.allocations) OVER ())::bigint)) AS horizon
    FROM account a
    JOIN (
        SELECT account_id, min(accrued_to) AS oldest, count(*) AS allocations FROM running GROUP BY account_id
    ) r ON r.account_id = a.id
),
rate AS MATERIALIZED (
    SELECT id, sku_id, currency, rate_per_unit_hour AS rate, effective_from,
           lead(effective_from) OVER (PARTITION BY sku_id, currency ORDER BY effective_from) AS effective_to
    FROM sku_rates
),
segment AS (
    SELECT r.allocation_id, r.account_id, r.accrued_to, p.id AS rate_id, q.quantity, b.width, b.horizon,
           2 * p.rate * q.quantity * b.scale AS doubled,
           greatest(r.started_at, r.established_at, q.effective_from, p.effective_from) AS starts_at,
           least(r.superseded_at, r.ends_at, q.effective_to, p.effective_to) AS ends_at
    FROM running r
    JOIN bounded b ON b.id = r.account_id
    JOIN allocation_quantities q ON q.allocation_id = r.allocation_id
        AND coalesce(q.effective_to, 'infinity') > greatest(r.accrued_to, q.effective_from) AND q.effective_from < b.horizon
    JOIN rate p ON p.sku_id = r.sku_id AND p.currency = b.currency
        AND coalesce(p.effective_to, 'infinity') > r.accrued_to AND p.effective_from < b.horizon
),
grid AS (
    SELECT s.*, greatest(w, s.starts_at, s.accrued_to) AS a, least(w + s.width, s.ends_at) AS b,
           (date_trunc('month', greatest(w, s.starts_at, s.accrued_to), 'UTC') AT TIME ZONE 'UTC' + interval '1 month')
               AT TIME ZONE 'UTC' AS month_end
    FROM segment s
    CROSS JOIN LATERAL generate_series(
        date_bin(s.width, greatest(s.starts_at, s.accrued_to), 'epoch'),
        least(s.ends_at, s.horizon) - interval '1 microsecond', s.width
    ) AS w
    WHERE s.ends_at IS NULL OR s.ends_at > greatest(s.starts_at, s.accrued_to)
),
piece AS (
    SELECT allocation_id, account_id, rate_id, quantity, doubled, starts_at, a, least(b, month_end) AS b FROM grid
    WHERE least(b, month_end) <= horizon AND a < least(b, month_end)
    UNION ALL
    SELECT allocation_id, account_id, rate_id, quantity, doubled, starts_at, month_end, b FROM grid
    WHERE month_end < b AND b <= horizon
),
rated AS MATERIALIZED (
    SELECT p.*,
           (div(doubled * extract(epoch FROM b - starts_at) + 3600, 7200)
          - div(doubled * extract(epoch FROM a - starts_at) + 3600, 7200))::bigint AS cost
    FROM piece p
),
head AS MATERIALIZED (
    SELECT b.id, coalesce(h.account_seq, 0) AS seq, coalesce(h.balance_after, 0) AS balance
    FROM bounded b
    LEFT JOIN LATERAL (
        SELECT account_seq, balance_after FROM ledger_entries
        WHERE ledger_account_id = b.customer_la ORDER BY account_seq DESC LIMIT 1
    ) h ON true
),
numbered AS MATERIALIZED (
    SELECT r.*, b.customer_la, b.currency,
           CASE WHEN r.cost <> 0 THEN h.seq + count(*) FILTER (WHERE r.cost <> 0) OVER posting END AS account_seq,
           h.balance - sum(r.cost) OVER posting AS balance_after
    FROM rated r
    JOIN bounded b ON b.id = r.account_id
    JOIN head h ON h.id = r.account_id
    WINDOW posting AS (PARTITION BY r.account_id ORDER BY r.b, r.allocation_id, r.a ROWS UNBOUNDED PRECEDING)
),
charge AS MATERIALIZED (
    SELECT account_id, min(account_seq) AS first_seq, sum(cost)::bigint AS cost, count(account_seq) AS debits,
           nextval(pg_get_serial_sequence('ledger_transactions', 'id')) AS transaction_id
    FROM numbered GROUP BY account_id HAVING sum(cost) <> 0
),
born AS (
    INSERT INTO ledger_transactions (id, business_key, kind, correlation_id, actor, effective_at)
    SELECT c.transaction_id, 'usage:' || c.account_id || ':' || c.first_seq, 'usage', %(correlation_id)s, %(actor)s, b.at
    FROM charge c JOIN bounded b ON b.id = c.account_id
),
used AS (
    INSERT INTO usage_records (allocation_id, billing_account_id, sku_rate_id, quantity, segment_start, interval_start,
                               interval_end, cost_minor, ledger_account_id, account_seq)
    SELECT allocation_id, account_id, rate_id, quantity, starts_at, a, b, cost, customer_la, account_seq FROM numbered
),
entered AS (
    INSERT INTO ledger_entries (transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor,
                                balance_after, currency, reason, reference_type, reference_id, effective_at)
    SELECT c.transaction_id, n.customer_la, n.account_id, n.account_seq, -n.cost, n.balance_after, n.currency, 'usage',
           'allocation', n.allocation_id, b.at
    FROM numbered n
    JOIN charge c ON c.account_id = n.account_id
    JOIN bounded b ON b.id = n.account_id
    WHERE n.cost <> 0
    UNION ALL
    SELECT c.transaction_id, b.revenue_la, c.account_id, NULL, c.cost, NULL, b.currency, 'usage', 'billing_account',
           c.account_id, b.at
    FROM charge c JOIN bounded b ON b.id = c.account_id
),
totalled AS (
    INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)
    SELECT b.legal_entity_id, (b.at AT TIME ZONE b.time_zone)::date, side.kind, b.currency,
           sum(side.amount), sum(side.entries)
    FROM charge c
    JOIN bounded b ON b.id = c.account_id
    CROSS JOIN LATERAL (
        VALUES (b.customer_kind, -c.cost, c.debits), ('usage_revenue', c.cost, 1)
    ) AS side (kind, amount, entries)
    GROUP BY 1, 2, 3, 4
),
-- A hint for the next claim: at once where windows remain, else at the next grid point, never where nothing runs.
scheduled AS (
    UPDATE accrual_schedules s
    SET due_at = CASE
            WHEN b.horizon < a.at THEN least(b.horizon, a.at)
            WHEN EXISTS (
                SELECT FROM billing_account_bindings bound
                JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
                WHERE bound.billing_account_id = a.id AND c.accrued_to < coalesce(bound.superseded_at, 'infinity')
            ) THEN date_bin(a.width, a.at, 'epoch') + a.width
            END,
        parked_at = NULL, park_code = '', park_reason = '', failures = 0, retry_at = NULL
    FROM account a LEFT JOIN bounded b ON b.id = a.id
    WHERE s.billing_account_id = a.id
),
-- A window is due, but nothing prices it where the cursor stands.
unpriced AS (
    SELECT DISTINCT r.account_id
    FROM running r JOIN bounded b ON b.id = r.account_id
    WHERE least(date_bin(b.width, r.accrued_to, 'epoch') + b.width, r.ends_at, r.superseded_at) <= b.horizon
      AND NOT EXISTS (SELECT FROM rated p WHERE p.allocation_id = r.allocation_id AND p.a = r.accrued_to)
)
SELECT (SELECT count(*) FROM rated), (SELECT coalesce(sum(debits), 0) + count(*) FROM charge)::bigint,
       (SELECT coalesce(sum(cost), 0) FROM charge)::bigint, (SELECT coalesce(array_agg(account_id), '{}') FROM unpriced)
