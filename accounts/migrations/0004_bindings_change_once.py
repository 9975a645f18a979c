from django.db import migrations

from accounts.migrations._append_only import keep

SQL = """
ALTER TABLE billing_account_bindings
    ADD CONSTRAINT binding_project_of_the_organization
        FOREIGN KEY (project_id, organization_id) REFERENCES projects (id, organization_id),
    ADD CONSTRAINT binding_account_of_the_organization
        FOREIGN KEY (billing_account_id, organization_id) REFERENCES billing_accounts (id, organization_id);

-- A plan is made once a session, perhaps on an empty table: it must use the index on a full one.
CREATE FUNCTION bindings_change_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    previous_end timestamptz;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.phase = 'Active' AND NEW.phase = 'Superseded'
                AND (NEW.project_id, NEW.billing_account_id, NEW.organization_id, NEW.established_at)
                  = (OLD.project_id, OLD.billing_account_id, OLD.organization_id, OLD.established_at) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a binding is immutable; it may only be superseded, once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'bindings_change_once';
    END IF;
    SELECT max(superseded_at) INTO previous_end FROM billing_account_bindings WHERE project_id = NEW.project_id;
    IF NEW.phase <> 'Active' THEN
        RAISE EXCEPTION 'a binding is born active; the past is not written afterwards'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'bindings_follow_each_other';
    END IF;
    IF previous_end IS NOT NULL AND previous_end <> NEW.established_at THEN
        RAISE EXCEPTION 'a project is bound without a gap: the new binding begins where the last one ended'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'bindings_follow_each_other';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bindings_change_once BEFORE INSERT OR UPDATE ON billing_account_bindings
    FOR EACH ROW EXECUTE FUNCTION bindings_change_once();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_terms_are_fixed_once_active")]

    operations = [
        migrations.RunSQL(SQL, "DROP FUNCTION bindings_change_once() CASCADE;"),
        migrations.RunSQL(keep("billing_account_bindings"), migrations.RunSQL.noop),
    ]
