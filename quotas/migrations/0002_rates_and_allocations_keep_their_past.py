from django.db import migrations

from accounts.migrations._append_only import guard, keep

SQL = """
ALTER TABLE allocations
    ADD CONSTRAINT allocation_project_of_the_organization
        FOREIGN KEY (project_id, organization_id) REFERENCES projects (id, organization_id);

CREATE FUNCTION allocations_keep_their_past() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.organization_id, NEW.project_id, NEW.sku_id, NEW.requested_at)
            IS DISTINCT FROM (OLD.organization_id, OLD.project_id, OLD.sku_id, OLD.requested_at)
        OR (OLD.started_at IS NOT NULL AND NEW.started_at IS DISTINCT FROM OLD.started_at)
        OR (OLD.released_at IS NOT NULL AND (NEW.released_at, NEW.status) IS DISTINCT FROM (OLD.released_at, OLD.status))
        OR array_position(ARRAY['requested', 'active', 'releasing', 'released'], NEW.status::text)
         < array_position(ARRAY['requested', 'active', 'releasing', 'released'], OLD.status::text) THEN
        RAISE EXCEPTION 'an allocation moves forward: its owner, SKU and past times never change'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'allocations_keep_their_past';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER allocations_keep_their_past BEFORE UPDATE ON allocations
    FOR EACH ROW EXECUTE FUNCTION allocations_keep_their_past();

-- A plan is made once a session, perhaps on an empty table: it must use the index on a full one.
CREATE FUNCTION quantities_follow_each_other() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    previous_end timestamptz;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.effective_to IS NULL AND NEW.effective_to IS NOT NULL
                AND (NEW.allocation_id, NEW.organization_id, NEW.quantity, NEW.effective_from)
                  = (OLD.allocation_id, OLD.organization_id, OLD.quantity, OLD.effective_from) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a quantity is immutable; its open end is closed once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'quantities_follow_each_other';
    END IF;
    SELECT max(effective_to) INTO previous_end FROM allocation_quantities WHERE allocation_id = NEW.allocation_id;
    IF NEW.effective_to IS NOT NULL THEN
        RAISE EXCEPTION 'a quantity is born with an open end; the past is not written afterwards'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'quantities_follow_each_other';
    END IF;
    IF previous_end IS NOT NULL AND previous_end <> NEW.effective_from THEN
        RAISE EXCEPTION 'quantities follow each other without a gap'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'quantities_follow_each_other';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quantities_follow_each_other BEFORE INSERT OR UPDATE ON allocation_quantities
    FOR EACH ROW EXECUTE FUNCTION quantities_follow_each_other();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("quotas", "0001_initial"),
        ("accounts", "0005_approvals_are_decided_once"),
    ]

    operations = [
        migrations.RunSQL(
            SQL,
            "DROP FUNCTION allocations_keep_their_past() CASCADE; DROP FUNCTION quantities_follow_each_other() CASCADE;",
        ),
        migrations.RunSQL(guard("sku_rates", "quotas_historicalsku"), migrations.RunSQL.noop),
        migrations.RunSQL(keep("allocations", "allocation_quantities"), migrations.RunSQL.noop),
    ]
