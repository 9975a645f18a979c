from django.db import migrations

# The tick holds the price book's advisory lock shared while it rates, so what this trigger reads is final.
SQL = """
CREATE FUNCTION lock_price_book_shared() RETURNS void LANGUAGE sql SET search_path = public, pg_temp AS
    $$ SELECT pg_advisory_xact_lock_shared(hashtextextended('price_book', 0)) $$;

CREATE FUNCTION rates_leave_billed_usage_alone() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('price_book', 0));
    IF EXISTS (
        SELECT FROM accrual_cursors c
        JOIN billing_account_bindings b ON b.project_id = c.project_id
        JOIN billing_accounts a ON a.id = b.billing_account_id AND a.currency = NEW.currency
        WHERE c.sku_id = NEW.sku_id AND c.accrued_to > NEW.effective_from
          AND b.established_at < c.accrued_to AND coalesce(b.superseded_at, 'infinity') > NEW.effective_from
    ) THEN
        RAISE EXCEPTION 'usage after % is already billed; a rate never touches the past', NEW.effective_from
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'billed_usage_stands';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rates_leave_billed_usage_alone BEFORE INSERT ON sku_rates
    FOR EACH ROW EXECUTE FUNCTION rates_leave_billed_usage_alone();

-- FOR SHARE waits for a tick under way, so that a resize never slips behind the cursor.
CREATE FUNCTION resizes_leave_billed_usage_alone() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    billed_to timestamptz;
BEGIN
    SELECT accrued_to INTO billed_to FROM accrual_cursors WHERE allocation_id = NEW.allocation_id FOR SHARE;
    IF billed_to > NEW.effective_to THEN
        RAISE EXCEPTION 'usage to % is already billed', billed_to
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'billed_usage_stands';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER resizes_leave_billed_usage_alone BEFORE UPDATE ON allocation_quantities
    FOR EACH ROW EXECUTE FUNCTION resizes_leave_billed_usage_alone();

-- A machine reported gone after its usage was billed: charging ends with the last window, and completed_at keeps what
-- was reported, so that the difference is credited instead of usage being taken back.
CREATE FUNCTION release_ends_with_the_last_window() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    billed_to timestamptz;
BEGIN
    SELECT accrued_to INTO billed_to FROM accrual_cursors WHERE allocation_id = NEW.id FOR UPDATE;
    NEW.released_at := greatest(NEW.released_at, billed_to);
    RETURN NEW;
END $$;
CREATE TRIGGER release_ends_with_the_last_window BEFORE UPDATE ON allocations
    FOR EACH ROW WHEN (OLD.released_at IS NULL AND NEW.released_at IS NOT NULL)
    EXECUTE FUNCTION release_ends_with_the_last_window();

CREATE FUNCTION rebinds_leave_billed_usage_alone() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    billed_to timestamptz;
BEGIN
    SELECT max(c.accrued_to) INTO billed_to FROM (
        SELECT accrued_to FROM accrual_cursors WHERE project_id = NEW.project_id FOR SHARE
    ) c;
    IF billed_to > NEW.superseded_at THEN
        RAISE EXCEPTION 'usage to % is already billed', billed_to
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'billed_usage_stands';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rebinds_leave_billed_usage_alone BEFORE UPDATE ON billing_account_bindings
    FOR EACH ROW EXECUTE FUNCTION rebinds_leave_billed_usage_alone();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_usage_windows_meet")]

    operations = [
        migrations.RunSQL(
            SQL,
            "DROP FUNCTION lock_price_book_shared(); DROP FUNCTION rates_leave_billed_usage_alone() CASCADE;"
            "DROP FUNCTION resizes_leave_billed_usage_alone() CASCADE;"
            "DROP FUNCTION release_ends_with_the_last_window() CASCADE;"
            "DROP FUNCTION rebinds_leave_billed_usage_alone() CASCADE;",
        ),
    ]
