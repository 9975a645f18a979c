import django.db.models.deletion
from django.db import migrations, models

from accounts.migrations._append_only import keep

SQL = """
CREATE FUNCTION feature_grants_change_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL
            OR (NEW.organization_id, NEW.feature, NEW.granted_at)
                IS DISTINCT FROM (OLD.organization_id, OLD.feature, OLD.granted_at) THEN
        RAISE EXCEPTION 'a grant of a feature is immutable; it may only be revoked, once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'feature_grants_change_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER feature_grants_change_once BEFORE UPDATE ON feature_grants
    FOR EACH ROW EXECUTE FUNCTION feature_grants_change_once();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_reasons_of_an_organization")]

    operations = [
        migrations.CreateModel(
            name="FeatureGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "feature",
                    models.CharField(choices=[("multi-billing-accounts", "Multi Billing Accounts")], max_length=64),
                ),
                ("granted_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="feature_grants",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "db_table": "feature_grants",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("organization", "feature"),
                        name="one_open_grant_per_feature",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("feature__in", ["multi-billing-accounts"])), name="feature_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at", None), ("revoked_at__gte", models.F("granted_at")), _connector="OR"
                        ),
                        name="feature_is_revoked_after_it_was_granted",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, "DROP FUNCTION feature_grants_change_once() CASCADE;"),
        migrations.RunSQL(keep("feature_grants"), migrations.RunSQL.noop),
    ]
