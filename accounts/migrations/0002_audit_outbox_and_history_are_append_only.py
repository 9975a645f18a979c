from django.db import migrations

from accounts.migrations._append_only import guard, keep

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows are kept', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
END $$;
"""

APPEND_ONLY = (
    "audit_logs",
    "outbox",
    "used_form_tokens",
    "accounts_historicaluser",
    "accounts_historicalorganization",
    "accounts_historicalproject",
    "accounts_historicalmembership",
    "accounts_historicallegalentity",
    "accounts_historicalbillingaccount",
    "accounts_historicalpolicyvalue",
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION refuse_change() CASCADE;"),
        migrations.RunSQL(guard(*APPEND_ONLY), migrations.RunSQL.noop),
        migrations.RunSQL(
            keep("billing_accounts", "organizations", "outbox_deliveries", "enforcement_reasons"),
            migrations.RunSQL.noop,
        ),
    ]
