from django.db import migrations, models

SQL = """
CREATE FUNCTION closed_for_ever() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (to_jsonb(OLD) ->> TG_ARGV[0]) IS NOT NULL AND to_jsonb(NEW) -> TG_ARGV[0] <> to_jsonb(OLD) -> TG_ARGV[0] THEN
        RAISE EXCEPTION 'what is closed or deleted stays so, since the same moment'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organizations_close_for_ever BEFORE UPDATE OF closed_at ON organizations
    FOR EACH ROW EXECUTE FUNCTION closed_for_ever('closed_at');
CREATE TRIGGER projects_close_for_ever BEFORE UPDATE OF closed_at ON projects
    FOR EACH ROW EXECUTE FUNCTION closed_for_ever('closed_at');
CREATE TRIGGER billing_accounts_delete_for_ever BEFORE UPDATE OF deleted_at ON billing_accounts
    FOR EACH ROW EXECUTE FUNCTION closed_for_ever('deleted_at');

-- A plan is made once a session, perhaps on an empty table: it must use the index on a full one.
CREATE FUNCTION nothing_opens_in_what_is_closed() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (SELECT FROM organizations WHERE id = NEW.organization_id AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the organization is closed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'nothing_opens_in_what_is_closed';
    END IF;
    IF TG_TABLE_NAME = 'billing_account_bindings' THEN
        IF EXISTS (SELECT FROM projects WHERE id = NEW.project_id AND closed_at IS NOT NULL) THEN
            RAISE EXCEPTION 'the project is closed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'nothing_opens_in_what_is_closed';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER projects_open_in_what_is_open BEFORE INSERT ON projects
    FOR EACH ROW EXECUTE FUNCTION nothing_opens_in_what_is_closed();
CREATE TRIGGER billing_accounts_open_in_what_is_open BEFORE INSERT ON billing_accounts
    FOR EACH ROW EXECUTE FUNCTION nothing_opens_in_what_is_closed();
CREATE TRIGGER bindings_open_in_what_is_open BEFORE INSERT ON billing_account_bindings
    FOR EACH ROW EXECUTE FUNCTION nothing_opens_in_what_is_closed();
"""
UNDO = """
DROP FUNCTION nothing_opens_in_what_is_closed() CASCADE;
DROP FUNCTION closed_for_ever() CASCADE;
"""
_CLOSED = {"blank": True, "null": True}
_DELETED = {"blank": True, "help_text": "Archived, and gone for its customer.", "null": True}


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_billing_details")]

    operations = [
        migrations.AddField("billingaccount", "deleted_at", models.DateTimeField(**_DELETED)),
        migrations.AddField("historicalbillingaccount", "deleted_at", models.DateTimeField(**_DELETED)),
        migrations.AddField("historicalorganization", "closed_at", models.DateTimeField(**_CLOSED)),
        migrations.AddField("historicalproject", "closed_at", models.DateTimeField(**_CLOSED)),
        migrations.AddField("organization", "closed_at", models.DateTimeField(**_CLOSED)),
        migrations.AddField("project", "closed_at", models.DateTimeField(**_CLOSED)),
        migrations.AddConstraint(
            "billingaccount",
            models.CheckConstraint(
                condition=models.Q(("deleted_at", None), ("phase", "Archived"), _connector="OR"),
                name="only_archived_accounts_are_deleted",
            ),
        ),
        migrations.RunSQL(SQL, UNDO),
    ]
