from django.db import migrations

from accounts.migrations._append_only import guard, keep

SQL = """
ALTER TABLE catalog_item_versions ADD CONSTRAINT catalog_item_versions_id_item UNIQUE (id, item_id);
ALTER TABLE catalog_prices
    ADD CONSTRAINT catalog_prices_id_item UNIQUE (id, item_id),
    ADD CONSTRAINT catalog_price_of_a_version_of_its_item
        FOREIGN KEY (version_id, item_id) REFERENCES catalog_item_versions (id, item_id);
ALTER TABLE catalog_lines
    ADD CONSTRAINT catalog_line_lists_a_version_of_its_item
        FOREIGN KEY (version_id, item_id) REFERENCES catalog_item_versions (id, item_id);

CREATE FUNCTION catalogs_are_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state <> 'draft' THEN
        RAISE EXCEPTION 'a % catalog never changes', OLD.state
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'catalogs_are_frozen';
    END IF;
    IF NEW.state = 'published' AND NEW.number <> 1 + coalesce((SELECT max(number) FROM catalog_versions), 0) THEN
        RAISE EXCEPTION 'catalogs are numbered 1, 2, 3 …'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'catalogs_are_frozen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER catalogs_are_frozen BEFORE UPDATE ON catalog_versions
    FOR EACH ROW EXECUTE FUNCTION catalogs_are_frozen();

CREATE FUNCTION catalog_is_a_draft() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT state FROM catalog_versions WHERE id = NEW.catalog_id) <> 'draft' THEN
        RAISE EXCEPTION 'nothing is added to a published catalog'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'catalogs_are_frozen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER catalog_is_a_draft BEFORE INSERT ON catalog_lines
    FOR EACH ROW EXECUTE FUNCTION catalog_is_a_draft();

CREATE FUNCTION prices_come_with_their_version() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM catalog_lines WHERE version_id = NEW.version_id) THEN
        RAISE EXCEPTION 'a version that is listed takes no more prices'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'catalogs_are_frozen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER prices_come_with_their_version BEFORE INSERT ON catalog_prices
    FOR EACH ROW EXECUTE FUNCTION prices_come_with_their_version();

CREATE FUNCTION item_versions_retire_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.retired_at IS NOT NULL OR NEW.retired_at IS NULL
        OR (NEW.id, NEW.item_id, NEW.number, NEW.terms, NEW.sha256, NEW.published_at)
            IS DISTINCT FROM (OLD.id, OLD.item_id, OLD.number, OLD.terms, OLD.sha256, OLD.published_at) THEN
        RAISE EXCEPTION 'a published version never changes; it is retired once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'item_versions_retire_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER item_versions_retire_once BEFORE UPDATE ON catalog_item_versions
    FOR EACH ROW EXECUTE FUNCTION item_versions_retire_once();
"""
UNDO = "; ".join(
    f"DROP FUNCTION {name}() CASCADE"
    for name in (
        "catalogs_are_frozen",
        "catalog_is_a_draft",
        "prices_come_with_their_version",
        "item_versions_retire_once",
    )
)


class Migration(migrations.Migration):
    dependencies = [("quotas", "0005_catalog_subscriptions_and_limits")]

    operations = [
        migrations.RunSQL(SQL, UNDO),
        migrations.RunSQL(guard("catalog_items", "catalog_prices", "catalog_lines"), migrations.RunSQL.noop),
        migrations.RunSQL(keep("catalog_versions", "catalog_item_versions"), migrations.RunSQL.noop),
    ]
