-- One tick for a set of locked billing accounts: every window due is rated, written and debited, in one statement.
-- The rule for one allocation stands in rating.py; a property test holds the two equal. The usage trigger moves the
-- cursors. Parameters: account_ids, at, window_seconds (global policy), max_windows, currencies, scales, actor,
-- correlation_id.
--
-- What a row needs of its account it carries along, and joins run in the order written: joining two CTEs would leave
-- the planner guessing, and on a book without statistics it guesses a quadratic plan. Every join reaches a table.
WITH account AS MATERIALIZED (
    SELECT b.id AS account_id, b.legal_entity_id, b.currency, x.scale, coalesce(b.test_now, %(at)s) AS at,
           (coalesce(b.test_now, %(at)s) AT TIME ZONE le.time_zone)::date AS day,
           make_interval(secs => coalesce(w.value::text::int, %(window_seconds)s)) AS width,
           customer.id AS customer_la, customer.kind AS customer_kind, revenue.id AS revenue_la,
           coalesce(head.account_seq, 0) AS head_seq, coalesce(head.balance_after, 0) AS head_balance,
           nextval(pg_get_serial_sequence('ledger_transactions', 'id')) AS transaction_id
    FROM unnest(%(account_ids)s::bigint[]) AS chosen (id)
    JOIN billing_accounts b ON b.id = chosen.id
    JOIN legal_entities le ON le.id = b.legal_entity_id
    JOIN unnest(%(currencies)s::text[], %(scales)s::numeric[]) AS x (currency, scale) ON x.currency = b.currency
    JOIN ledger_accounts customer ON customer.billing_account_id = b.id AND customer.currency = b.currency
        AND customer.detail = '' AND customer.legal_entity_id = b.legal_entity_id
        AND customer.kind = CASE b.settlement WHEN 'prepaid' THEN 'wallet' ELSE 'unbilled' END
    JOIN ledger_accounts revenue ON revenue.legal_entity_id = b.legal_entity_id AND revenue.kind = 'usage_revenue'
        AND revenue.currency = b.currency AND revenue.billing_account_id IS NULL AND revenue.detail = ''
    LEFT JOIN policy_values w ON w.key = 'billing.window_seconds' AND w.scope = 'tenant'
        AND w.scope_id = b.organization_id
    LEFT JOIN LATERAL (
        SELECT account_seq, balance_after FROM ledger_entries
        WHERE ledger_account_id = customer.id ORDER BY account_seq DESC LIMIT 1
    ) head ON true
),
-- Allocations whose cursor stands inside a binding of these accounts. After a rebind the old account bills its part
-- first; the new one follows when the cursor has reached it. Oldest first and bounded: all allocations of an account
-- go on to one horizon.
running AS MATERIALIZED (
    SELECT a.*, c.allocation_id, c.sku_id, c.accrued_to, c.started_at, c.ends_at, bound.established_at,
           bound.superseded_at,
           least(a.at, date_bin(a.width, min(c.accrued_to) OVER (PARTITION BY a.account_id), 'epoch')
               + a.width * greatest(1, %(max_windows)s::bigint / count(*) OVER ())) AS horizon
    FROM account a
    JOIN billing_account_bindings bound ON bound.billing_account_id = a.account_id
    JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
    WHERE c.accrued_to >= bound.established_at AND c.accrued_to < coalesce(bound.superseded_at, 'infinity')
      AND c.accrued_to < a.at
),
segment AS (
    SELECT r.*, p.id AS rate_id, q.quantity, 2 * p.rate_per_unit_hour * q.quantity * r.scale AS doubled,
           greatest(r.started_at, r.established_at, q.effective_from, p.effective_from) AS starts,
           least(r.superseded_at, r.ends_at, q.effective_to, following.effective_from) AS ends
    FROM running r
    JOIN allocation_quantities q ON q.allocation_id = r.allocation_id AND q.effective_from < r.horizon
        AND coalesce(q.effective_to, 'infinity') > greatest(r.accrued_to, q.effective_from)
    JOIN sku_rates p ON p.sku_id = r.sku_id AND p.currency = r.currency AND p.effective_from < r.horizon
    LEFT JOIN LATERAL (
        SELECT n.effective_from FROM sku_rates n
        WHERE n.sku_id = p.sku_id AND n.currency = p.currency AND n.effective_from > p.effective_from
        ORDER BY n.effective_from LIMIT 1
    ) following ON true
    WHERE coalesce(following.effective_from, 'infinity') > r.accrued_to
),
grid AS (
    SELECT s.*, greatest(w, s.starts, s.accrued_to) AS a, least(w + s.width, s.ends) AS b,
           (date_trunc('month', greatest(w, s.starts, s.accrued_to), 'UTC') AT TIME ZONE 'UTC' + interval '1 month')
               AT TIME ZONE 'UTC' AS month_end
    FROM segment s
    CROSS JOIN LATERAL generate_series(
        date_bin(s.width, greatest(s.starts, s.accrued_to), 'epoch'),
        least(s.ends, s.horizon) - interval '1 microsecond', s.width
    ) AS w
    WHERE s.ends IS NULL OR s.ends > greatest(s.starts, s.accrued_to)
),
piece AS (
    SELECT grid.*, a AS starts_at, least(b, month_end) AS ends_at_ FROM grid
    WHERE least(b, month_end) <= horizon AND a < least(b, month_end)
    UNION ALL
    SELECT grid.*, month_end, b FROM grid WHERE month_end < b AND b <= horizon
),
rated AS (
    SELECT account_id, legal_entity_id, currency, at, day, customer_la, customer_kind, revenue_la, head_seq,
           head_balance, transaction_id, allocation_id, accrued_to, rate_id, quantity, starts AS segment_start,
           starts_at AS a, ends_at_ AS b,
           (div(doubled * extract(epoch FROM ends_at_ - starts) + 3600, 7200)
          - div(doubled * extract(epoch FROM starts_at - starts) + 3600, 7200))::bigint AS cost
    FROM piece
),
numbered AS MATERIALIZED (
    SELECT *,
           CASE WHEN cost <> 0 THEN head_seq + count(*) FILTER (WHERE cost <> 0) OVER posting END AS account_seq,
           head_balance - sum(cost) OVER posting AS balance_after
    FROM rated
    WINDOW posting AS (PARTITION BY account_id ORDER BY b, allocation_id, a ROWS UNBOUNDED PRECEDING)
),
charge AS MATERIALIZED (
    SELECT account_id, transaction_id, legal_entity_id, currency, at, day, customer_kind, revenue_la,
           min(account_seq) AS first_seq, sum(cost)::bigint AS cost, count(account_seq) AS debits
    FROM numbered GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum(cost) <> 0
),
born AS (
    INSERT INTO ledger_transactions (id, business_key, kind, correlation_id, actor, effective_at)
    SELECT transaction_id, 'usage:' || account_id || ':' || first_seq, 'usage', %(correlation_id)s, %(actor)s, at
    FROM charge
),
used AS (
    INSERT INTO usage_records (allocation_id, billing_account_id, sku_rate_id, quantity, segment_start, interval_start,
                               interval_end, cost_minor, ledger_account_id, account_seq)
    SELECT allocation_id, account_id, rate_id, quantity, segment_start, a, b, cost, customer_la, account_seq
    FROM numbered
),
entered AS (
    INSERT INTO ledger_entries (transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor,
                                balance_after, currency, reason, reference_type, reference_id, effective_at)
    SELECT transaction_id, customer_la, account_id, account_seq, -cost, balance_after, currency, 'usage',
           'allocation', allocation_id, at
    FROM numbered WHERE cost <> 0
    UNION ALL
    SELECT transaction_id, revenue_la, account_id, NULL, cost, NULL, currency, 'usage', 'billing_account',
           account_id, at
    FROM charge
),
totalled AS (
    INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)
    SELECT legal_entity_id, day, side.kind, currency, sum(side.amount), sum(side.entries)
    FROM charge
    CROSS JOIN LATERAL (VALUES (customer_kind, -cost, debits), ('usage_revenue', cost, 1)) AS side (kind, amount, entries)
    GROUP BY 1, 2, 3, 4
),
-- A hint for the next claim: at once where windows remain, else at the next grid point, never where nothing runs.
reached AS (
    SELECT account_id, max(at) AS at, max(width) AS width, min(horizon) AS horizon
    FROM (
        SELECT account_id, at, width, NULL::timestamptz AS horizon FROM account
        UNION ALL
        SELECT account_id, at, width, horizon FROM running
    ) r GROUP BY account_id
),
scheduled AS (
    UPDATE accrual_schedules s
    SET due_at = CASE
            WHEN r.horizon < r.at THEN r.horizon
            WHEN EXISTS (
                SELECT FROM billing_account_bindings bound
                JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
                WHERE bound.billing_account_id = r.account_id
                  AND c.accrued_to < coalesce(bound.superseded_at, 'infinity')
            ) THEN date_bin(r.width, r.at, 'epoch') + r.width
            END,
        parked_at = NULL, park_code = '', park_reason = '', failures = 0, retry_at = NULL
    FROM reached r WHERE s.billing_account_id = r.account_id
),
-- A window is due, but nothing prices it where the cursor stands.
unpriced AS (
    SELECT account_id
    FROM (
        SELECT account_id, 1 AS missing FROM running
        WHERE least(date_bin(width, accrued_to, 'epoch') + width, ends_at, superseded_at) <= horizon
        UNION ALL
        SELECT account_id, -1 FROM numbered
        WHERE a = accrued_to AND a < b
    ) w GROUP BY account_id HAVING sum(missing) > 0
)
SELECT (SELECT count(*) FROM numbered), (SELECT coalesce(sum(debits), 0) + count(*) FROM charge)::bigint,
       (SELECT coalesce(sum(cost), 0) FROM charge)::bigint, (SELECT coalesce(array_agg(account_id), '{}') FROM unpriced)
