from django.db import migrations

SQL = """
CREATE FUNCTION catalogs_begin_as_drafts() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state <> 'draft' THEN
        RAISE EXCEPTION 'a catalog begins as a draft'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'catalogs_begin_as_drafts';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER catalogs_begin_as_drafts BEFORE INSERT ON catalog_versions
    FOR EACH ROW EXECUTE FUNCTION catalogs_begin_as_drafts();
"""


class Migration(migrations.Migration):
    dependencies = [("quotas", "0010_published_offers_are_frozen")]

    operations = [migrations.RunSQL(SQL, "DROP FUNCTION catalogs_begin_as_drafts() CASCADE")]
