from django.db import migrations

from accounts.migrations._append_only import guard, keep

SQL = """
CREATE FUNCTION meters_move_forward() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    phases CONSTANT text[] := ARRAY['Draft', 'Published', 'Deprecated', 'Retired'];
    step integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        step := array_position(phases, NEW.phase::text) - 1;
    ELSE
        step := array_position(phases, NEW.phase::text) - array_position(phases, OLD.phase::text);
        IF (NEW.name, NEW.unit, NEW.aggregation, NEW.created_at)
                IS DISTINCT FROM (OLD.name, OLD.unit, OLD.aggregation, OLD.created_at)
            OR (OLD.published_at IS NOT NULL AND NEW.published_at IS DISTINCT FROM OLD.published_at)
            OR NOT NEW.dimensions @> OLD.dimensions THEN
            RAISE EXCEPTION 'a meter keeps its name, unit and aggregation; dimensions are only added'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'meters_move_forward';
        END IF;
    END IF;
    IF step NOT BETWEEN 0 AND (CASE TG_OP WHEN 'INSERT' THEN 0 ELSE 1 END) THEN
        RAISE EXCEPTION 'a meter begins as a draft and moves forward one phase at a time'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'meters_move_forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meters_move_forward BEFORE INSERT OR UPDATE ON meters
    FOR EACH ROW EXECUTE FUNCTION meters_move_forward();

CREATE FUNCTION offers_are_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.launch_stage <> 'Draft' THEN
            RAISE EXCEPTION 'an offer begins as a draft'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'offers_are_frozen';
        END IF;
    ELSIF NEW.code <> OLD.code OR (OLD.launch_stage <> 'Draft'
            AND to_jsonb(NEW) - 'display_name' IS DISTINCT FROM to_jsonb(OLD) - 'display_name') THEN
        RAISE EXCEPTION 'a published offer keeps all but its display name'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'offers_are_frozen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER offers_are_frozen BEFORE INSERT OR UPDATE ON offers
    FOR EACH ROW EXECUTE FUNCTION offers_are_frozen();

-- The lock waits for a publication under way, which then refuses the row.
CREATE FUNCTION offer_prices_are_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    stage text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        stage := 'GA';
    ELSE
        SELECT launch_stage INTO stage FROM offers
            WHERE id = (CASE TG_OP WHEN 'DELETE' THEN OLD.offer_id ELSE NEW.offer_id END) FOR SHARE;
    END IF;
    IF stage <> 'Draft' THEN
        RAISE EXCEPTION 'the prices of a published offer never change'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'offers_are_frozen';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER offer_prices_are_frozen BEFORE INSERT OR UPDATE OR DELETE ON offer_prices
    FOR EACH ROW EXECUTE FUNCTION offer_prices_are_frozen();
CREATE TRIGGER offer_prices_is_never_emptied BEFORE TRUNCATE ON offer_prices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Rows of [effective_from, effective_to): born open, closed once, never into each other.
CREATE FUNCTION terms_close_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.effective_to IS NOT NULL OR NEW.effective_to IS NULL
            OR to_jsonb(NEW) - 'effective_to' IS DISTINCT FROM to_jsonb(OLD) - 'effective_to' THEN
        RAISE EXCEPTION 'this row is immutable; it is closed once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER segment_memberships_close_once BEFORE UPDATE ON segment_memberships
    FOR EACH ROW EXECUTE FUNCTION terms_close_once();
CREATE TRIGGER billing_entitlements_close_once BEFORE UPDATE ON billing_entitlements
    FOR EACH ROW EXECUTE FUNCTION terms_close_once();

CREATE FUNCTION segment_memberships_begin_open() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF NEW.effective_to IS NOT NULL OR EXISTS (SELECT FROM segment_memberships
            WHERE billing_account_id = NEW.billing_account_id AND effective_to > NEW.effective_from) THEN
        RAISE EXCEPTION 'a membership is born open, after the one before it'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'segment_memberships_begin_open';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER segment_memberships_begin_open BEFORE INSERT ON segment_memberships
    FOR EACH ROW EXECUTE FUNCTION segment_memberships_begin_open();

CREATE FUNCTION entitlements_name_an_offer_at_ga() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF (SELECT launch_stage FROM offers WHERE id = NEW.offer_id) IS DISTINCT FROM 'GA' THEN
        RAISE EXCEPTION 'an account is billed by a published offer'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entitlements_name_an_offer_at_ga';
    END IF;
    IF NEW.effective_to IS NOT NULL OR NEW.effective_from <> coalesce((SELECT max(effective_to)
            FROM billing_entitlements WHERE billing_account_id = NEW.billing_account_id), NEW.effective_from) THEN
        RAISE EXCEPTION 'an entitlement is born open and begins where the one before it ended'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entitlements_follow_each_other';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entitlements_name_an_offer_at_ga BEFORE INSERT ON billing_entitlements
    FOR EACH ROW EXECUTE FUNCTION entitlements_name_an_offer_at_ga();

CREATE FUNCTION account_discounts_are_withdrawn_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
            OR to_jsonb(NEW) - 'withdrawn_at' IS DISTINCT FROM to_jsonb(OLD) - 'withdrawn_at' THEN
        RAISE EXCEPTION 'a discount is immutable; it is withdrawn once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_discounts_are_withdrawn_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_discounts_are_withdrawn_once BEFORE UPDATE ON account_discounts
    FOR EACH ROW EXECUTE FUNCTION account_discounts_are_withdrawn_once();

CREATE FUNCTION draws_stay_within_their_commitment() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    promised account_commitments%ROWTYPE;
    drawn bigint;
    months integer;
BEGIN
    SELECT * INTO promised FROM account_commitments WHERE id = NEW.commitment_id;
    SELECT coalesce(sum(drawn_minor), 0), coalesce(max(month), 0) INTO drawn, months
        FROM commitment_draws WHERE commitment_id = NEW.commitment_id;
    IF NEW.month <> months + 1 OR NEW.month > promised.months OR drawn + NEW.drawn_minor > promised.amount_minor
        OR (NEW.billing_account_id, NEW.currency) <> (promised.billing_account_id, promised.currency)
        OR NEW.true_up_minor <> (CASE WHEN NEW.month = promised.months AND NOT promised.in_advance
            THEN promised.amount_minor - drawn - NEW.drawn_minor ELSE 0 END)
        OR NEW.billed_minor <> NEW.used_minor + NEW.true_up_minor
            - (CASE WHEN promised.in_advance THEN NEW.drawn_minor ELSE 0 END) THEN
        RAISE EXCEPTION 'months draw in turn, never more than was committed; the last one trues up'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'draws_stay_within_their_commitment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER draws_stay_within_their_commitment BEFORE INSERT ON commitment_draws
    FOR EACH ROW EXECUTE FUNCTION draws_stay_within_their_commitment();
"""

FUNCTIONS = (
    *("meters_move_forward", "offers_are_frozen", "offer_prices_are_frozen", "terms_close_once"),
    *("segment_memberships_begin_open", "entitlements_name_an_offer_at_ga"),
    *("account_discounts_are_withdrawn_once", "draws_stay_within_their_commitment"),
)


class Migration(migrations.Migration):
    dependencies = [("quotas", "0009_usage_price_book")]

    operations = [
        migrations.RunSQL(SQL, "".join(f"DROP FUNCTION {name}() CASCADE;" for name in FUNCTIONS)),
        migrations.RunSQL(
            guard(
                *("account_commitments", "commitment_draws"),
                *("quotas_historicalmeter", "quotas_historicalcustomersegment"),
                *("quotas_historicalserviceprice", "quotas_historicaloffer"),
            ),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            keep(
                *("meters", "customer_segments", "segment_memberships", "service_prices", "offers"),
                *("billing_entitlements", "account_discounts"),
            ),
            migrations.RunSQL.noop,
        ),
    ]
