from django.db import migrations

# A transaction and its entries come in one statement, so that one look at its end sees both. Row by row at commit it
# was a tenth of what a posting cost. Entries that sum to zero and are not zero are two at least.
SQL = """
DROP TRIGGER transaction_has_entries ON ledger_transactions;
CREATE OR REPLACE FUNCTION transaction_has_entries() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows n
        WHERE NOT EXISTS (SELECT FROM ledger_entries e WHERE e.transaction_id = n.id OFFSET 0)
    ) THEN
        RAISE EXCEPTION 'a transaction needs at least two entries, in the statement that writes it'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transaction_has_entries';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transaction_has_entries AFTER INSERT ON ledger_transactions REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION transaction_has_entries();
"""

BACK = """
DROP TRIGGER transaction_has_entries ON ledger_transactions;
CREATE OR REPLACE FUNCTION transaction_has_entries() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM ledger_entries WHERE transaction_id = NEW.id LIMIT 2) e) < 2 THEN
        RAISE EXCEPTION 'a transaction needs at least two entries'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transaction_has_entries';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transaction_has_entries AFTER INSERT ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION transaction_has_entries();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0012_healthy_balances_have_a_bound")]

    operations = [migrations.RunSQL(SQL, BACK)]
