"""What the application role may do to each table. Fail closed: a table that is not listed here gets nothing.

`migrate` applies this list at its end, as the owner; `doctor` and a test compare it with the database.
"""

from collections.abc import Iterator
from fnmatch import fnmatch

from django.db import connection, transaction

from billing_site.roles import application_role

READ = ("SELECT",)
APPEND = ("SELECT", "INSERT")
KEEP = ("SELECT", "INSERT", "UPDATE")
FULL = ("SELECT", "INSERT", "UPDATE", "DELETE")

# First match wins. Partitions of usage_records have no grant: rows go through the parent.
TABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("usage_records_????_??", ()),
    ("ledger_entries", APPEND),
    ("ledger_transactions", READ),  # and INSERT by column, below
    ("ledger_accounts", APPEND),
    ("usage_records", APPEND),
    ("accrual_cursors", READ),
    ("accrual_schedules", KEEP),
    ("balance_states", KEEP),
    ("balance_transitions", APPEND),
    ("low_balance_events", KEEP),
    ("depletions", KEEP),
    ("force_release_requests", APPEND),
    ("credit_lots", APPEND),
    ("daily_totals", KEEP),
    ("daily_total_increments", FULL),
    ("verification_runs", APPEND),
    ("bank_transfers", APPEND),
    ("billing_provider_switches", APPEND),
    ("sku_rates", APPEND),
    ("skus", KEEP),
    ("catalog_items", APPEND),
    ("catalog_item_versions", KEEP),
    ("catalog_prices", APPEND),
    ("catalog_lines", APPEND),
    ("catalog_versions", KEEP),
    ("catalog_refusals", KEEP),
    ("subscriptions", KEEP),
    ("subscription_items", KEEP),
    ("meters", KEEP),
    ("customer_segments", KEEP),
    ("segment_memberships", KEEP),
    ("service_prices", KEEP),
    ("offers", KEEP),
    ("offer_prices", ("SELECT", "INSERT", "DELETE")),
    ("billing_entitlements", KEEP),
    ("account_discounts", KEEP),
    ("account_commitments", APPEND),
    ("commitment_draws", APPEND),
    ("discount_uses", APPEND),
    ("event_feed", KEEP),
    ("idempotency_records", ("SELECT", "INSERT", "DELETE")),
    ("limits", FULL),
    ("limits_due", FULL),
    ("cluster_syncs", KEEP),
    ("cluster_cursors", KEEP),
    ("workload_scales", KEEP),
    ("reported_usage", KEEP),
    ("external_ips", KEEP),
    ("allocations", KEEP),
    ("allocation_quantities", KEEP),
    ("audit_logs", APPEND),
    ("outbox", APPEND),
    ("outbox_deliveries", KEEP),
    ("used_form_tokens", APPEND),
    ("*_historical*", APPEND),
    ("approval_requests", KEEP),
    ("billing_account_bindings", KEEP),
    ("billing_accounts", KEEP),
    ("billing_contacts", FULL),  # personal data is erased
    ("billing_addresses", FULL),
    ("invoice_emails", FULL),
    ("tax_ids", FULL),
    ("conditions", KEEP),
    ("doorbells", KEEP),
    ("enforcement_reasons", KEEP),
    ("feature_grants", KEEP),
    ("legal_entities", KEEP),
    ("memberships", KEEP),
    ("project_memberships", KEEP),
    ("api_keys", KEEP),
    ("trusted_issuers", KEEP),
    ("external_identities", APPEND),
    ("organizations", KEEP),
    ("saved_filters", FULL),
    ("projects", KEEP),
    ("policy_values", FULL),
    ("users", KEEP),
    ("users_groups", FULL),
    ("users_user_permissions", FULL),
    ("customer_ledger_entries", READ),
    ("account_email*", FULL),
    ("mfa_authenticator", FULL),
    ("socialaccount_socialaccount", FULL),
    ("socialaccount_social*", READ),  # issuers and their secrets are in the environment, tokens are not kept
    ("django_migrations", READ),
    ("django_*", FULL),
    ("auth_*", FULL),
    ("djstripe_*", FULL),
)
COLUMNS: dict[str, tuple[str, ...]] = {
    # `born` and `created_at` are the database's to say.
    "ledger_transactions": ("id", "business_key", "kind", "correlation_id", "actor", "effective_at"),
}
FUNCTIONS = ("ensure_month(date)",)

_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
_HELD_ON_TABLES = """
SELECT c.relname, ARRAY(SELECT p FROM unnest(%s::text[]) AS p WHERE has_table_privilege(%s, c.oid, p))
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY c.relname
"""
_HELD_ON_COLUMNS = """
SELECT c.relname, a.attname, p.privilege_type FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
CROSS JOIN LATERAL aclexplode(a.attacl) AS p
WHERE c.relnamespace = 'public'::regnamespace AND p.grantee IN (0, %s::regrole)
"""
_CLOSED_FUNCTIONS = """
SELECT f FROM unnest(%s::text[]) AS f
WHERE to_regprocedure(f) IS NULL OR NOT has_function_privilege(%s, to_regprocedure(f), 'EXECUTE')
"""


def granted(table: str) -> tuple[str, ...] | None:
    """The privileges listed for a table, or None where the list does not know it."""
    return next((privileges for pattern, privileges in TABLES if fnmatch(table, pattern)), None)


def tables() -> list[str]:
    """Every table, partition and view of the schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'm') ORDER BY relname"
        )
        return [name for (name,) in cursor.fetchall()]


def apply_grants() -> None:
    """Give the application role exactly what is listed. Run as the owner."""
    quote = connection.ops.quote_name
    role = quote(application_role())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}, PUBLIC")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
        for table in tables():
            privileges = granted(table)
            if privileges:
                cursor.execute(f"GRANT {', '.join(privileges)} ON {quote(table)} TO {role}")
        for table, columns in COLUMNS.items():
            cursor.execute(f"GRANT INSERT ({', '.join(columns)}) ON {quote(table)} TO {role}")
        for function in FUNCTIONS:
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")


def missing_grants() -> list[str]:
    """Where the database differs from the lists, one sentence each; empty when all is well.

    Privileges by column and on functions count too: a grant on the table hides neither.
    """
    role = application_role()
    return [*_tables_that_differ(role), *_columns_that_differ(role), *_closed_functions(role)]


def _tables_that_differ(role: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_HELD_ON_TABLES, [list(_PRIVILEGES), role])
        found = cursor.fetchall()
    for table, held in found:
        privileges = granted(table)
        if privileges is None:
            yield f"table {table} is not listed in billing_site/grants.py"
        elif set(held) != set(privileges):
            yield f"{role} holds {sorted(held)} on {table}, listed is {sorted(privileges)}"


def _columns_that_differ(role: str) -> Iterator[str]:
    listed = {(table, column, "INSERT") for table, columns in COLUMNS.items() for column in columns}
    with connection.cursor() as cursor:
        cursor.execute(_HELD_ON_COLUMNS, [connection.ops.quote_name(role)])
        held = set(cursor.fetchall())
    for table, column, privilege in sorted(held ^ listed):
        word = "holds" if (table, column, privilege) in held else "lacks"
        yield f"{role} {word} {privilege} on {table}.{column}"


def _closed_functions(role: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED_FUNCTIONS, [list(FUNCTIONS), role])
        for (function,) in cursor.fetchall():
            yield f"{role} may not call {function}"
