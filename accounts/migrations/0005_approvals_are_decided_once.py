from django.db import migrations

from accounts.migrations._append_only import keep

SQL = """
CREATE FUNCTION approvals_are_decided_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending' THEN
            RAISE EXCEPTION 'an approval is born pending'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'approvals_are_decided_once';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'approved' AND OLD.result IS NULL AND NEW.result IS NOT NULL
            AND to_jsonb(NEW) - 'result' = to_jsonb(OLD) - 'result' THEN
        RETURN NEW;  -- what the approved act did, noted in the same transaction
    END IF;
    IF OLD.state <> 'pending' OR NEW.state = 'pending'
            OR (NEW.act, NEW.payload, NEW.summary, NEW.amount_minor, NEW.currency, NEW.reason, NEW.maker_id,
                NEW.requested_at, NEW.expires_at, NEW.organization_id, NEW.billing_account_id)
               IS DISTINCT FROM
               (OLD.act, OLD.payload, OLD.summary, OLD.amount_minor, OLD.currency, OLD.reason, OLD.maker_id,
                OLD.requested_at, OLD.expires_at, OLD.organization_id, OLD.billing_account_id) THEN
        RAISE EXCEPTION 'an approval is decided once and its proposal never changes'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'approvals_are_decided_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_are_decided_once BEFORE INSERT OR UPDATE ON approval_requests
    FOR EACH ROW EXECUTE FUNCTION approvals_are_decided_once();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_bindings_change_once")]

    operations = [
        migrations.RunSQL(SQL, "DROP FUNCTION approvals_are_decided_once() CASCADE;"),
        migrations.RunSQL(keep("approval_requests"), migrations.RunSQL.noop),
    ]
