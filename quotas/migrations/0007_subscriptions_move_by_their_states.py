from django.db import migrations

from accounts.migrations._append_only import guard, keep

SQL = """
ALTER TABLE subscriptions
    ADD CONSTRAINT subscriptions_id_organization UNIQUE (id, organization_id),
    ADD CONSTRAINT subscription_account_of_the_organization
        FOREIGN KEY (billing_account_id, organization_id) REFERENCES billing_accounts (id, organization_id);
ALTER TABLE subscription_items
    ADD CONSTRAINT subscription_item_of_the_organization
        FOREIGN KEY (subscription_id, organization_id) REFERENCES subscriptions (id, organization_id),
    ADD CONSTRAINT subscription_item_is_a_version_of_its_item
        FOREIGN KEY (version_id, item_id) REFERENCES catalog_item_versions (id, item_id),
    -- Of an older version where its limits followed a publication: the price never does.
    ADD CONSTRAINT subscription_item_has_a_price_of_its_item
        FOREIGN KEY (price_id, item_id) REFERENCES catalog_prices (id, item_id);
ALTER TABLE limits
    ADD CONSTRAINT limit_project_of_the_organization
        FOREIGN KEY (project_id, organization_id) REFERENCES projects (id, organization_id);
ALTER TABLE reported_usage
    ADD CONSTRAINT reported_usage_project_of_the_organization
        FOREIGN KEY (project_id, organization_id) REFERENCES projects (id, organization_id);
ALTER TABLE external_ips
    ADD CONSTRAINT external_ip_project_of_the_organization
        FOREIGN KEY (project_id, organization_id) REFERENCES projects (id, organization_id);

CREATE FUNCTION subscriptions_move_by_their_states() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.organization_id, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.organization_id, OLD.created_at) THEN
        RAISE EXCEPTION 'a subscription stays with its organization'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'subscriptions_move_by_their_states';
    END IF;
    IF NEW.status <> OLD.status AND NOT NEW.status = ANY (CASE OLD.status
            WHEN 'incomplete' THEN '{trialing,active,suspended}'
            WHEN 'trialing' THEN '{active,past_due,canceling,suspended}'
            WHEN 'active' THEN '{past_due,canceling,suspended}'
            WHEN 'past_due' THEN '{active,canceling,suspended}'
            WHEN 'canceling' THEN '{trialing,active,past_due,suspended}'
            WHEN 'suspended' THEN '{active,canceled}'
            WHEN 'canceled' THEN '{active}'
        END::text[]) THEN
        RAISE EXCEPTION 'a subscription does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'subscriptions_move_by_their_states';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER subscriptions_move_by_their_states BEFORE UPDATE ON subscriptions
    FOR EACH ROW EXECUTE FUNCTION subscriptions_move_by_their_states();

CREATE FUNCTION subscription_items_close_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.effective_to IS NOT NULL OR NEW.effective_to IS NULL
        OR (to_jsonb(NEW) - 'effective_to') IS DISTINCT FROM (to_jsonb(OLD) - 'effective_to') THEN
        RAISE EXCEPTION 'what was subscribed never changes; its open end is closed once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'subscription_items_close_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER subscription_items_close_once BEFORE UPDATE ON subscription_items
    FOR EACH ROW EXECUTE FUNCTION subscription_items_close_once();

CREATE FUNCTION subscription_items_begin_open() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.effective_to IS NOT NULL OR EXISTS (
            SELECT FROM subscription_items AS other
            WHERE other.subscription_id = NEW.subscription_id AND other.effective_to > NEW.effective_from
              AND (other.item_id = NEW.item_id OR (other.kind = 'plan' AND NEW.kind = 'plan'))) THEN
        RAISE EXCEPTION 'what is subscribed begins where the last of its kind ended, with an open end'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'subscription_items_begin_open';
    END IF;
    IF (SELECT kind FROM catalog_items WHERE id = NEW.item_id) <> NEW.kind THEN
        RAISE EXCEPTION 'an item is of its own kind'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'subscription_items_begin_open';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER subscription_items_begin_open BEFORE INSERT ON subscription_items
    FOR EACH ROW EXECUTE FUNCTION subscription_items_begin_open();

CREATE FUNCTION plan_is_of_the_open_item() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.plan_id IS DISTINCT FROM (
            SELECT item_id FROM subscription_items
            WHERE subscription_id = NEW.id AND kind = 'plan' AND effective_to IS NULL) THEN
        RAISE EXCEPTION 'the plan of a subscription is that of its open item'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'plan_is_of_the_open_item';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER plan_is_new BEFORE INSERT ON subscriptions
    FOR EACH ROW WHEN (NEW.plan_id IS NOT NULL) EXECUTE FUNCTION plan_is_of_the_open_item();
CREATE TRIGGER plan_is_of_the_open_item BEFORE UPDATE OF plan_id ON subscriptions
    FOR EACH ROW WHEN (NEW.plan_id IS DISTINCT FROM OLD.plan_id) EXECUTE FUNCTION plan_is_of_the_open_item();

CREATE FUNCTION plan_follows_its_item() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE subscriptions SET plan_id = NEW.item_id WHERE id = NEW.subscription_id;
    RETURN NULL;
END $$;
CREATE TRIGGER plan_follows_its_item AFTER INSERT ON subscription_items
    FOR EACH ROW WHEN (NEW.kind = 'plan') EXECUTE FUNCTION plan_follows_its_item();

CREATE FUNCTION external_ips_are_released_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.released_at IS NOT NULL
        OR (to_jsonb(NEW) - 'released_at') IS DISTINCT FROM (to_jsonb(OLD) - 'released_at') THEN
        RAISE EXCEPTION 'an address is released once and never changes'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'external_ips_are_released_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER external_ips_are_released_once BEFORE UPDATE ON external_ips
    FOR EACH ROW EXECUTE FUNCTION external_ips_are_released_once();
"""
UNDO = "; ".join(
    f"DROP FUNCTION {name}() CASCADE"
    for name in (
        "subscriptions_move_by_their_states",
        "subscription_items_close_once",
        "subscription_items_begin_open",
        "external_ips_are_released_once",
        "plan_follows_its_item",
        "plan_is_of_the_open_item",
    )
)


class Migration(migrations.Migration):
    dependencies = [("quotas", "0006_published_catalogs_are_frozen")]

    operations = [
        migrations.RunSQL(SQL, UNDO),
        migrations.RunSQL(keep("subscriptions", "subscription_items", "external_ips"), migrations.RunSQL.noop),
        migrations.RunSQL(guard("quotas_historicalsubscription"), migrations.RunSQL.noop),
    ]
