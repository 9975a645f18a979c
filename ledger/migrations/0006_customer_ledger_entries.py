from django.db import migrations

SQL = """
CREATE VIEW customer_ledger_entries AS
SELECT e.id, o.owner_id AS user_id, e.amount_minor, e.currency, e.reason, e.reference_type, e.reference_id,
       t.correlation_id, coalesce(e.metadata, '{}'::jsonb) AS metadata, e.created_at
FROM ledger_entries e
JOIN ledger_accounts a ON a.id = e.ledger_account_id AND a.kind IN ('wallet', 'unbilled', 'receivable')
JOIN ledger_transactions t ON t.id = e.transaction_id
JOIN billing_accounts b ON b.id = e.billing_account_id
JOIN organizations o ON o.id = b.organization_id;
COMMENT ON VIEW customer_ledger_entries IS
    'One row per customer line. Their sum per user and currency is what the customer has (or, negative, owes).';
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_billed_usage_stands")]

    operations = [migrations.RunSQL(SQL, "DROP VIEW customer_ledger_entries;")]
