"""Tables long enough that a plan which reads them whole is slow: rows of a shape, past the triggers, as the owner."""

from django.db import connection

from billing_site.roles import as_owner
from tests.cast import Cast

TABLES = (
    *("ledger_entries", "ledger_transactions", "usage_records", "audit_logs", "outbox", "outbox_deliveries"),
    *("allocations", "users"),
)
_FILLED = (*TABLES, "organizations", "projects", "billing_accounts", "bank_transfers")

_ROWS = (
    """
    INSERT INTO ledger_transactions (business_key, kind, correlation_id, actor, effective_at)
    SELECT 'usage:large:' || n, 'usage', 'tick-' || n / 100, 'system:accrue', %(began)s + n * interval '1 s'
    FROM generate_series(1, %(rows)s) n
    """,
    """
    INSERT INTO ledger_accounts (id, legal_entity_id, kind, detail, currency, billing_account_id, chained)
    VALUES (1000000, %(entity)s, 'usage_revenue', 'large', 'USD', NULL, false),
           (1000001, %(entity)s, 'bank', 'large', 'USD', NULL, false)
    """,
    """
    INSERT INTO ledger_entries (transaction_id, ledger_account_id, billing_account_id, amount_minor, currency, reason,
                                reference_type, reference_id, effective_at)
    SELECT n, CASE WHEN n %% 1000 = 0 THEN 1000001 ELSE 1000000 END, %(account)s, n, 'USD',
           CASE WHEN n %% 1000 = 0 THEN 'transfer' ELSE 'usage' END, 'usage_record', n,
           %(began)s + n * interval '1 s'
    FROM generate_series(1, %(rows)s) n
    """,
    """
    INSERT INTO allocations (organization_id, project_id, sku_id, external_id, status, requested_at)
    SELECT %(organization)s, %(project)s, %(sku)s, 'machine-' || n, 'requested', %(began)s
    FROM generate_series(1, %(rows)s) n
    """,
    """
    INSERT INTO usage_records (allocation_id, billing_account_id, sku_rate_id, quantity, segment_start, interval_start,
                               interval_end, cost_minor, ledger_account_id)
    SELECT n, %(account)s, 1, 1, %(began)s, %(began)s, %(began)s + interval '60 s', 0, 1000000
    FROM generate_series(1, %(rows)s) n
    """,
    """
    INSERT INTO audit_logs (actor_kind, action, subject_type, reason, correlation_id, at, created_at)
    SELECT 'system', 'large.act', 'account', '', 'tick-' || n, %(began)s + n * interval '1 s', now()
    FROM generate_series(1, %(rows)s) n
    """,
    """
    INSERT INTO outbox (topic, payload, correlation_id, occurred_at, created_at)
    SELECT 'large.topic', '{}', 'tick-' || n, %(began)s + n * interval '1 s', now()
    FROM generate_series(1, %(rows)s) n
    """,
    """
    INSERT INTO outbox_deliveries (message_id, route, state, attempts, next_attempt_at, last_error)
    SELECT id, 'large.route', CASE WHEN id %% 5000 = 0 THEN 'dead' ELSE 'delivered' END, 1, %(began)s, ''
    FROM outbox WHERE topic = 'large.topic'
    """,
    """
    INSERT INTO users (password, is_superuser, email, display_name, time_zone, language, is_staff, is_active,
                       created_at)
    SELECT '', false, 'person-' || n || '@large.example', 'Person', 'UTC', 'en', false, true, now()
    FROM generate_series(1, %(rows)s) n
    """,
    """
    INSERT INTO organizations (name, slug, personal, owner_id, language, created_at)
    SELECT 'Large ' || n, 'large-' || n, false, (SELECT max(id) FROM users), 'en', %(began)s
    FROM generate_series(1, %(rows)s) n
    """,
    """
    INSERT INTO projects (organization_id, name, slug, created_at)
    SELECT id, name, slug, created_at FROM organizations WHERE slug LIKE 'large-%%'
    """,
    """
    INSERT INTO billing_accounts (organization_id, legal_entity_id, name, currency, settlement, phase, created_at)
    SELECT id, %(entity)s, name, 'USD', 'prepaid', 'Ready', created_at FROM organizations WHERE slug LIKE 'large-%%'
    """,
)


def fill(cast: Cast, *, rows: int) -> None:
    """That many rows in each table, one a second from the beginning of the cast's March; statistics are fresh."""
    parameters = {
        "rows": rows,
        "entity": cast.entity.pk,
        "account": cast.foreign.pk,
        "organization": cast.acme.pk,
        "project": cast.project.pk,
        "sku": cast.gpu.pk,
        "began": "2026-03-01 00:00:00+00",
    }
    with as_owner(), connection.cursor() as cursor:
        for table in _FILLED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in _ROWS:
            cursor.execute(statement.replace("%(began)s", "%(began)s::timestamptz"), parameters)
        for table in _FILLED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("ANALYZE")
