from django.db import migrations

SQL = """
CREATE FUNCTION billing_account_terms_are_fixed() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.organization_id <> OLD.organization_id THEN
        RAISE EXCEPTION 'a billing account stays with its organization'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'billing_account_terms_are_fixed';
    END IF;
    IF OLD.phase <> 'Provisioning' AND (NEW.currency, NEW.settlement, NEW.legal_entity_id)
            IS DISTINCT FROM (OLD.currency, OLD.settlement, OLD.legal_entity_id) THEN
        RAISE EXCEPTION 'currency, settlement and legal entity are immutable once the account has been activated'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'billing_account_terms_are_fixed';
    END IF;
    IF OLD.phase <> 'Provisioning' AND NEW.phase = 'Provisioning' THEN
        RAISE EXCEPTION 'an account never returns to Provisioning'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'billing_account_terms_are_fixed';
    END IF;
    IF OLD.phase = 'Archived' AND NEW.phase <> 'Archived' THEN
        RAISE EXCEPTION 'an archived account stays archived'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'billing_account_terms_are_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_account_terms_are_fixed BEFORE UPDATE ON billing_accounts
    FOR EACH ROW EXECUTE FUNCTION billing_account_terms_are_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_outbox_and_history_are_append_only")]

    operations = [
        migrations.RunSQL(SQL, "DROP FUNCTION billing_account_terms_are_fixed() CASCADE;"),
    ]
