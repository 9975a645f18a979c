"""What must hold of the book and of usage, one query a rule; each returns the rows that break it, as (row id, fault).

`%(since)s` bounds the transactions looked at; a full run looks at all and adds the rules that read everything. Queries
see one snapshot.
"""

from dataclasses import dataclass

_TX = """
WITH tx AS (
    SELECT id, kind FROM ledger_transactions WHERE born::text::bigint >= %(since)s
)
"""


@dataclass(frozen=True)
class Rule:
    name: str
    says: str
    query: str
    full_only: bool = False


BOOK_RULES = (
    Rule(
        "transaction_sums_to_zero",
        "the entries of a transaction sum to zero in each currency",
        _TX
        + """
        SELECT e.transaction_id, format('sums to %%s %%s', sum(e.amount_minor), e.currency)
        FROM ledger_entries e JOIN tx ON tx.id = e.transaction_id
        GROUP BY e.transaction_id, e.currency HAVING sum(e.amount_minor) <> 0
        """,
    ),
    Rule(
        "transaction_has_entries",
        "a transaction has two entries at least",
        _TX
        + """
        SELECT tx.id, format('has %%s entries', count(e.id)) FROM tx
        LEFT JOIN ledger_entries e ON e.transaction_id = tx.id GROUP BY tx.id HAVING count(e.id) < 2
        """,
    ),
    Rule(
        "chain_is_unbroken",
        "each customer entry continues the sequence and the running balance of the one before",
        _TX
        + """
        SELECT e.id, format('account %%s seq %%s: balance_after %%s does not follow',
                            e.ledger_account_id, e.account_seq, e.balance_after)
        FROM ledger_entries e JOIN tx ON tx.id = e.transaction_id
        LEFT JOIN ledger_entries p ON p.ledger_account_id = e.ledger_account_id AND p.account_seq = e.account_seq - 1
        WHERE e.account_seq IS NOT NULL
          AND (e.balance_after <> coalesce(p.balance_after, 0) + e.amount_minor
               OR (p.id IS NULL AND e.account_seq <> 1))
        """,
    ),
    Rule(
        "entry_fits_its_account",
        "an entry has its account's currency, chain and billing account",
        _TX
        + """
        SELECT e.id, format('does not fit ledger account %%s', e.ledger_account_id)
        FROM ledger_entries e JOIN tx ON tx.id = e.transaction_id
        LEFT JOIN ledger_accounts a ON a.id = e.ledger_account_id
        WHERE a.id IS NULL OR a.currency <> e.currency OR a.chained <> (e.account_seq IS NOT NULL)
           OR (a.chained AND a.billing_account_id IS DISTINCT FROM e.billing_account_id)
        """,
    ),
    Rule(
        "debit_has_its_usage",
        "each usage debit belongs to exactly one usage record of the same cost",
        _TX
        + """
        SELECT e.id, format('usage debit of %%s has %%s usage records', e.amount_minor, count(u.id))
        FROM ledger_entries e JOIN tx ON tx.id = e.transaction_id AND tx.kind = 'usage'
        LEFT JOIN usage_records u ON u.ledger_account_id = e.ledger_account_id AND u.account_seq = e.account_seq
            AND u.allocation_id = e.reference_id AND u.cost_minor = -e.amount_minor
        WHERE e.account_seq IS NOT NULL GROUP BY e.id, e.amount_minor HAVING count(u.id) <> 1
        """,
    ),
    Rule(
        "trial_balance_is_zero",
        "all entries sum to zero in each currency, as the daily totals tell",
        """
        SELECT currency, format('daily totals sum to %%s', sum(sum_minor)) FROM (
            SELECT currency, sum_minor FROM daily_totals
            UNION ALL SELECT currency, sum_minor FROM daily_total_increments
        ) t GROUP BY currency HAVING sum(sum_minor) <> 0
        """,
    ),
    Rule(
        "usage_has_its_debit",
        "each usage record that costs something names its one debit, of the same amount",
        """
        SELECT u.id, format('cost %%s, debit %%s', u.cost_minor, coalesce(e.amount_minor::text, 'missing'))
        FROM usage_records u
        LEFT JOIN ledger_entries e ON e.ledger_account_id = u.ledger_account_id AND e.account_seq = u.account_seq
        WHERE u.cost_minor <> 0
          AND (e.id IS NULL OR e.amount_minor <> -u.cost_minor OR e.billing_account_id <> u.billing_account_id)
        """,
        full_only=True,
    ),
    Rule(
        "windows_meet",
        "the windows of an allocation follow each other from its start without gap or overlap",
        """
        SELECT id, format('allocation %%s: begins at %%s, expected %%s', allocation_id, interval_start, expected) FROM (
            SELECT u.id, u.allocation_id, u.interval_start,
                   coalesce(lag(u.interval_end) OVER (PARTITION BY u.allocation_id ORDER BY u.interval_start),
                            c.started_at) AS expected
            FROM usage_records u LEFT JOIN accrual_cursors c ON c.allocation_id = u.allocation_id
        ) w WHERE interval_start IS DISTINCT FROM expected
        """,
        full_only=True,
    ),
    Rule(
        "cursor_stands_at_the_last_window",
        "a cursor stands where the last window ended, inside the span of its allocation",
        """
        SELECT a.id, format('cursor at %%s, last window ends %%s', c.accrued_to, coalesce(u.last_end, a.started_at))
        FROM allocations a
        LEFT JOIN accrual_cursors c ON c.allocation_id = a.id
        LEFT JOIN (
            SELECT allocation_id, max(interval_end) AS last_end FROM usage_records GROUP BY allocation_id
        ) u ON u.allocation_id = a.id
        WHERE a.started_at IS NOT NULL
          AND (c.accrued_to IS DISTINCT FROM coalesce(u.last_end, a.started_at) OR c.started_at <> a.started_at
               OR c.ends_at IS DISTINCT FROM a.released_at)
        """,
        full_only=True,
    ),
    Rule(
        "usage_is_rated_by_the_rule",
        "a window costs cost(end) − cost(start) at the rate and quantity in force, for the account bound then",
        """
        SELECT u.id, format('cost %%s, waived %%s, by the rule %%s', u.cost_minor, u.waived_minor, w.cost)
        FROM usage_records u
        JOIN allocations al ON al.id = u.allocation_id
        JOIN billing_accounts b ON b.id = u.billing_account_id
        JOIN sku_rates p ON p.id = u.sku_rate_id
        JOIN unnest(%(currencies)s::text[], %(scales)s::numeric[]) AS x (currency, scale) ON x.currency = b.currency
        CROSS JOIN LATERAL (SELECT
            div(2 * p.rate_per_unit_hour * u.quantity * x.scale
                * extract(epoch FROM u.interval_end - u.segment_start) + 3600, 7200)
          - div(2 * p.rate_per_unit_hour * u.quantity * x.scale
                * extract(epoch FROM u.interval_start - u.segment_start) + 3600, 7200) AS cost) w
        LEFT JOIN allocation_quantities q ON q.allocation_id = u.allocation_id AND q.quantity = u.quantity
            AND u.interval_start >= q.effective_from AND u.interval_end <= coalesce(q.effective_to, 'infinity')
        LEFT JOIN billing_account_bindings bound ON bound.project_id = al.project_id
            AND bound.billing_account_id = u.billing_account_id AND u.interval_start >= bound.established_at
            AND u.interval_end <= coalesce(bound.superseded_at, 'infinity')
        WHERE u.cost_minor + u.waived_minor <> w.cost OR q.id IS NULL OR bound.id IS NULL
           OR p.sku_id <> al.sku_id OR p.currency <> b.currency OR p.effective_from > u.interval_start
           OR u.segment_start <> greatest(al.started_at, bound.established_at, q.effective_from, p.effective_from)
           OR EXISTS (
               SELECT FROM sku_rates n WHERE n.sku_id = p.sku_id AND n.currency = p.currency
                 AND n.effective_from > p.effective_from AND n.effective_from < u.interval_end
           )
        """,
        full_only=True,
    ),
    Rule(
        "daily_totals_equal_the_entries",
        "daily totals, rebuilt from the entries, are the same",
        """
        SELECT coalesce(s.day, t.day)::text, format('%%s %%s: entries %%s, totals %%s', coalesce(s.kind, t.kind),
               coalesce(s.currency, t.currency), coalesce(s.sum_minor, 0), coalesce(t.sum_minor, 0))
        FROM (
            SELECT a.legal_entity_id, (e.effective_at AT TIME ZONE le.time_zone)::date AS day, a.kind, e.currency,
                   sum(e.amount_minor) AS sum_minor, count(*) AS entry_count
            FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.ledger_account_id
            JOIN legal_entities le ON le.id = a.legal_entity_id GROUP BY 1, 2, 3, 4
        ) s
        FULL JOIN (
            SELECT legal_entity_id, day, kind, currency, sum(sum_minor) AS sum_minor, sum(entry_count) AS entry_count
            FROM (
                SELECT legal_entity_id, day, kind, currency, sum_minor, entry_count FROM daily_totals
                UNION ALL
                SELECT legal_entity_id, day, kind, currency, sum_minor, entry_count FROM daily_total_increments
            ) i GROUP BY 1, 2, 3, 4
        ) t ON (t.legal_entity_id, t.day, t.kind, t.currency) = (s.legal_entity_id, s.day, s.kind, s.currency)
        WHERE (s.sum_minor, s.entry_count) IS DISTINCT FROM (t.sum_minor, t.entry_count)
        """,
        full_only=True,
    ),
    Rule(
        "wallet_falls_below_zero_only_by_usage",
        "only usage, a dispute, a true-up or a correction takes a wallet below zero",
        _TX
        + """
        SELECT e.id, format('%%s took wallet %%s to %%s', tx.kind, e.ledger_account_id, e.balance_after)
        FROM ledger_entries e JOIN tx ON tx.id = e.transaction_id
        JOIN ledger_accounts a ON a.id = e.ledger_account_id AND a.kind = 'wallet'
        WHERE e.amount_minor < 0 AND e.balance_after < 0
          AND tx.kind NOT IN ('usage', 'dispute', 'invoice', 'correction')
        """,
    ),
)
