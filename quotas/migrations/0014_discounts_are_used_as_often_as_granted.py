from django.db import migrations

from accounts.migrations._append_only import guard

SQL = """
CREATE FUNCTION discounts_are_used_as_often_as_granted() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    granted account_discounts%ROWTYPE;
BEGIN
    IF NEW.discount_id IS NULL THEN
        RETURN NEW;
    END IF;
    -- The row's lock: of two bills at once, the second counts the first.
    SELECT * INTO granted FROM account_discounts WHERE id = NEW.discount_id FOR NO KEY UPDATE;
    IF granted.billing_account_id <> NEW.billing_account_id
        OR (SELECT count(*) FROM discount_uses WHERE discount_id = NEW.discount_id) >= granted.times THEN
        RAISE EXCEPTION 'a discount is taken by its account, as often as it was granted'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'discounts_are_used_as_often_as_granted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER discounts_are_used_as_often_as_granted BEFORE INSERT ON discount_uses
    FOR EACH ROW EXECUTE FUNCTION discounts_are_used_as_often_as_granted();
"""


class Migration(migrations.Migration):
    dependencies = [("quotas", "0013_discount_uses")]

    operations = [
        migrations.RunSQL(SQL, "DROP FUNCTION discounts_are_used_as_often_as_granted() CASCADE;"),
        migrations.RunSQL(guard("discount_uses"), migrations.RunSQL.noop),
    ]
