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
           make_interval(secs => coalesce(w.value::text::int, pw.value::text::int, %(window_seconds)s)) AS width,
           customer.id AS customer_la, customer.kind AS customer_kind, revenue.id AS revenue_la,
           coalesce(st.state <> 'depleted', false) AS may_fall,
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
    LEFT JOIN balance_states st ON st.billing_account_id = b.id AND b.settlement = 'prepaid'
    LEFT JOIN policy_values w ON w.key = 'billing.window_seconds' AND w.scope = 'tenant'
        AND w.scope_id = b.organization_id
    LEFT JOIN subscriptions sub ON sub.organization_id = b.organization_id
    LEFT JOIN policy_values pw ON pw.key = 'billing.window_seconds' AND pw.scope = 'plan' AND pw.scope_id = sub.plan_id
    LEFT JOIN LATERAL (
        SELECT account_seq, balance_after FROM ledger_entries
        WHERE ledger_account_id = customer.id ORDER BY account_seq DESC LIMIT 1
    ) head ON true
),
-- Oldest first and bounded: all allocations of an account go on to one horizon. Tails are what an outage of ours
-- failed to stop: windows are cut at their ends, and waived inside.
bounded AS MATERIALIZED (
    SELECT a.*, r.oldest, t.tails,
           least(a.at, date_bin(a.width, r.oldest, 'epoch')
               + a.width * greatest(1, %(max_windows)s::bigint / greatest(1, sum(r.allocations) OVER ())::bigint)) AS horizon
    FROM account a
    CROSS JOIN LATERAL (
        SELECT min(c.accrued_to) AS oldest, count(*) AS allocations
        FROM billing_account_bindings bound
        JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
        WHERE bound.billing_account_id = a.account_id AND c.accrued_to >= bound.established_at
          AND c.accrued_to < coalesce(bound.superseded_at, 'infinity') AND c.accrued_to < a.at
    ) r
    LEFT JOIN LATERAL (
        SELECT range_agg(tstzrange(d.tail_from, d.tail_until)) AS tails FROM depletions d
        WHERE d.billing_account_id = a.account_id AND d.tail_from IS NOT NULL AND d.tail_until > r.oldest
    ) t ON true
),
-- Allocations whose cursor stands inside a binding of these accounts. After a rebind the old account bills its part
-- first; the new one follows when the cursor has reached it.
running AS MATERIALIZED (
    SELECT a.account_id, a.currency, a.scale, a.width, a.customer_la, a.head_seq, a.head_balance, a.transaction_id,
           a.at, a.horizon, a.tails, a.may_fall, c.allocation_id, c.sku_id, c.accrued_to, c.started_at, c.ends_at,
           bound.established_at, bound.superseded_at
    FROM bounded a
    JOIN billing_account_bindings bound ON bound.billing_account_id = a.account_id
    JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
    WHERE c.accrued_to >= bound.established_at AND c.accrued_to < coalesce(bound.superseded_at, 'infinity')
      AND c.accrued_to < a.horizon
),
segment AS MATERIALIZED (
    SELECT r.account_id, r.currency, r.at, r.width, r.horizon, r.tails, r.may_fall, r.customer_la, r.head_seq,
           r.head_balance, r.transaction_id, r.allocation_id, r.accrued_to, p.id AS rate_id, q.quantity,
           2 * p.rate_per_unit_hour * q.quantity * r.scale AS doubled,
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
-- Windows of the grid: the first of each segment, and the rest where there are more (a set-returning call per row is
-- what a regular tick would mostly be spending its time on).
grid AS (
    SELECT s.*, greatest(starts, accrued_to) AS a,
           least(date_bin(width, greatest(starts, accrued_to), 'epoch') + width, ends) AS b
    FROM segment s WHERE ends IS NULL OR ends > greatest(starts, accrued_to)
    UNION ALL
    SELECT s.*, w, least(w + width, ends)
    FROM segment s
    CROSS JOIN LATERAL generate_series(
        date_bin(width, greatest(starts, accrued_to), 'epoch') + width,
        least(ends, horizon) - interval '1 microsecond', width
    ) AS w
    WHERE date_bin(width, greatest(starts, accrued_to), 'epoch') + width < least(ends, horizon)
),
-- Then the month's end (UTC), which only a window that crosses a midnight can meet.
cut AS MATERIALIZED (
    SELECT grid.*,
           CASE WHEN b > date_bin('1 day', a, 'epoch') + interval '1 day' THEN
               (date_trunc('month', a, 'UTC') AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'
           END AS month_end
    FROM grid
),
piece AS (
    SELECT cut.*, a AS p, least(b, month_end) AS q, false AS waived FROM cut
    WHERE tails IS NULL AND least(b, month_end) <= horizon
    UNION ALL
    SELECT cut.*, month_end, b, false FROM cut WHERE tails IS NULL AND month_end < b AND b <= horizon
    UNION ALL
    SELECT cut.*, lower(part.span), upper(part.span), part.waived
    FROM cut
    CROSS JOIN LATERAL (VALUES (a, least(b, month_end)), (month_end, b)) AS half (p, q)
    CROSS JOIN LATERAL (
        SELECT unnest(tstzmultirange(tstzrange(half.p, half.q)) * tails) AS span, true AS waived
        UNION ALL
        SELECT unnest(tstzmultirange(tstzrange(half.p, half.q)) - tails), false
    ) part
    WHERE tails IS NOT NULL AND half.p < half.q AND upper(part.span) <= horizon
),
-- OFFSET 0: what a window costs is worked out once, not wherever it is read.
costed AS (
    SELECT account_id, currency, at, customer_la, head_seq, head_balance, transaction_id, allocation_id, accrued_to,
           rate_id, quantity, starts AS segment_start, p AS a, q AS b, waived, may_fall,
           (div(doubled * extract(epoch FROM q - starts) + 3600, 7200)
          - div(doubled * extract(epoch FROM p - starts) + 3600, 7200))::bigint AS c
    FROM piece OFFSET 0
),
rated AS (
    SELECT *, CASE WHEN waived THEN 0 ELSE c END AS cost, CASE WHEN waived THEN c ELSE 0 END AS waived_cost FROM costed
),
numbered AS MATERIALIZED (
    SELECT *,
           CASE WHEN cost <> 0 THEN head_seq + count(*) FILTER (WHERE cost <> 0) OVER posting END AS account_seq,
           head_balance - sum(cost) OVER posting AS balance_after
    FROM rated
    WINDOW posting AS (PARTITION BY account_id ORDER BY b, allocation_id, a ROWS UNBOUNDED PRECEDING)
),
-- A prepaid wallet that crosses zero on the way is billed up to the end of that window and no further: the judge dates
-- the depletion by it and says what of the rest is waived.
falling AS MATERIALIZED (
    SELECT account_id, min(b) AS fell_at FROM numbered
    WHERE may_fall AND cost <> 0 AND balance_after <= 0 GROUP BY account_id
),
billed AS MATERIALIZED (
    SELECT n.* FROM numbered n
    FULL JOIN falling f ON f.account_id = n.account_id
    WHERE coalesce(n.b <= f.fell_at, f.fell_at IS NULL)
),
-- One row an account. FULL JOIN, though every account is in `bounded`: it cannot become a nested loop.
outcome AS MATERIALIZED (
    SELECT b.account_id, b.transaction_id, b.legal_entity_id, b.currency, b.at, b.day, b.width, b.horizon,
           b.customer_kind, b.revenue_la, coalesce(n.cost, 0) AS cost, n.first_seq, n.debits, f.fell_at
    FROM bounded b
    FULL JOIN (
        SELECT account_id, min(account_seq) AS first_seq, sum(cost)::bigint AS cost, count(account_seq) AS debits
        FROM billed GROUP BY account_id
    ) n ON n.account_id = b.account_id
    FULL JOIN falling f ON f.account_id = b.account_id
),
charge AS (
    SELECT * FROM outcome WHERE cost <> 0
),
born AS (
    INSERT INTO ledger_transactions (id, business_key, kind, correlation_id, actor, effective_at)
    SELECT transaction_id, 'usage:' || account_id || ':' || first_seq, 'usage', %(correlation_id)s, %(actor)s, at
    FROM charge
),
used AS (
    INSERT INTO usage_records (allocation_id, billing_account_id, sku_rate_id, quantity, segment_start, interval_start,
                               interval_end, cost_minor, waived_minor, ledger_account_id, account_seq)
    SELECT allocation_id, account_id, rate_id, quantity, segment_start, a, b, cost, waived_cost, customer_la, account_seq
    FROM billed
),
entered AS (
    INSERT INTO ledger_entries (transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor,
                                balance_after, currency, reason, reference_type, reference_id, effective_at)
    SELECT transaction_id, customer_la, account_id, account_seq, -cost, balance_after, currency, 'usage',
           'allocation', allocation_id, at
    FROM billed WHERE cost <> 0
    UNION ALL
    SELECT transaction_id, revenue_la, account_id, NULL, cost, NULL, currency, 'usage', 'billing_account',
           account_id, at
    FROM charge
),
totalled AS (
    INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)
    SELECT legal_entity_id, day, customer_kind, currency, -sum(cost), sum(debits) FROM charge GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT legal_entity_id, day, 'usage_revenue', currency, sum(cost), count(*) FROM charge GROUP BY 1, 2, 4
),
-- A hint for the next claim: at once where windows remain or a former account must bill its part first, else at the
-- next grid point, never where nothing runs.
scheduled AS (
    UPDATE accrual_schedules s
    SET due_at = CASE
            WHEN o.fell_at IS NOT NULL THEN o.fell_at
            WHEN o.horizon < o.at THEN o.horizon
            WHEN EXISTS (
                SELECT FROM billing_account_bindings bound
                JOIN billing_account_bindings former ON former.project_id = bound.project_id
                    AND former.superseded_at = bound.established_at
                JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
                    AND c.accrued_to < bound.established_at
                WHERE bound.billing_account_id = o.account_id AND bound.established_at <= o.at
            ) THEN o.at
            WHEN EXISTS (
                SELECT FROM billing_account_bindings bound
                JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
                WHERE bound.billing_account_id = o.account_id
                  AND c.accrued_to < coalesce(bound.superseded_at, 'infinity')
            ) THEN date_bin(o.width, o.at, 'epoch') + o.width
            END,
        parked_at = NULL, park_code = '', park_reason = '', failures = 0, retry_at = NULL
    FROM outcome o WHERE s.billing_account_id = o.account_id
),
-- A window is due, but nothing prices it where the cursor stands. (FULL JOIN and coalesce: never a nested loop.)
unpriced AS (
    SELECT DISTINCT r.account_id
    FROM running r
    FULL JOIN (SELECT allocation_id FROM numbered WHERE a = accrued_to) n ON n.allocation_id = r.allocation_id
    WHERE n.allocation_id IS NULL AND coalesce(
        least(date_bin(r.width, r.accrued_to, 'epoch') + r.width, r.ends_at, r.superseded_at) <= r.horizon, false)
)
SELECT (SELECT count(*) FROM billed), (SELECT coalesce(sum(debits), 0) + count(*) FROM charge)::bigint,
       (SELECT coalesce(sum(cost), 0) FROM charge)::bigint, (SELECT coalesce(array_agg(account_id), '{}') FROM unpriced),
       (SELECT coalesce(array_agg(account_id), '{}') FROM falling), (SELECT coalesce(array_agg(fell_at), '{}') FROM falling)
