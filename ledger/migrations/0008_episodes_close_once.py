from django.db import migrations

from accounts.migrations._append_only import guard, keep

# A row changes by what the trigger's arguments name, each from empty to a value and never again.
CLOSE_ONCE = """
CREATE FUNCTION closes_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    was jsonb := to_jsonb(OLD);
    becomes jsonb := to_jsonb(NEW);
    changed text;
BEGIN
    FOR changed IN SELECT key FROM jsonb_each(becomes) WHERE value IS DISTINCT FROM was -> key LOOP
        IF changed <> ALL (TG_ARGV) OR was -> changed <> 'null' THEN
            RAISE EXCEPTION '%: % is set once and the rest never changes', TG_TABLE_NAME, changed
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'closes_once';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER low_balance_events_closes_once BEFORE UPDATE ON low_balance_events
    FOR EACH ROW EXECUTE FUNCTION closes_once('advised_at', 'projected_depletion_at', 'closed_at');
CREATE TRIGGER depletions_closes_once BEFORE UPDATE ON depletions
    FOR EACH ROW EXECUTE FUNCTION closes_once('closed_at');
"""

# Every prepaid account is judged from its first moment on, whoever opens it.
FOLLOW = """
CREATE FUNCTION balance_state_follows_account() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO balance_states (billing_account_id, state, since, burn_minor_per_hour, burn_at, rates_seen, judge_due)
        VALUES (NEW.id, 'healthy', NEW.created_at, 0, NEW.created_at, 0, false) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER balance_state_follows_account AFTER INSERT OR UPDATE OF settlement ON billing_accounts
    FOR EACH ROW WHEN (NEW.settlement = 'prepaid') EXECUTE FUNCTION balance_state_follows_account();
"""

# Usage is waived in the tail of a depletion of its account and nowhere else.
WAIVE = """
CREATE FUNCTION waived_usage_lies_in_a_tail() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows n WHERE n.waived_minor > 0 AND NOT coalesce((
            SELECT range_agg(tstzrange(d.tail_from, d.tail_until)) @> tstzrange(n.interval_start, n.interval_end)
            FROM depletions d WHERE d.billing_account_id = n.billing_account_id AND d.tail_until > n.interval_start
        ), false)
    ) THEN
        RAISE EXCEPTION 'only the tail of an outage is waived'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'waived_usage_lies_in_a_tail';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER waived_usage_lies_in_a_tail AFTER INSERT ON usage_records REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION waived_usage_lies_in_a_tail();
"""

# Accounts from before are judged at the next ring.
OLDER = """
INSERT INTO balance_states (billing_account_id, state, since, burn_minor_per_hour, burn_at, rates_seen, judge_due)
    SELECT id, 'healthy', created_at, 0, created_at, 0, true FROM billing_accounts WHERE settlement = 'prepaid';
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_balance_states"), ("accounts", "0007_language_and_saved_filters")]

    operations = [
        migrations.RunSQL(CLOSE_ONCE, "DROP FUNCTION closes_once() CASCADE;"),
        migrations.RunSQL(FOLLOW, "DROP FUNCTION balance_state_follows_account() CASCADE;"),
        migrations.RunSQL(WAIVE, "DROP FUNCTION waived_usage_lies_in_a_tail() CASCADE;"),
        migrations.RunSQL(
            guard("balance_transitions", "force_release_requests", "credit_lots"), migrations.RunSQL.noop
        ),
        migrations.RunSQL(keep("balance_states", "low_balance_events", "depletions"), migrations.RunSQL.noop),
        migrations.RunSQL(OLDER, migrations.RunSQL.noop),
    ]
