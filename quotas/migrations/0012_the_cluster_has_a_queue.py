import django.db.models.deletion
from django.db import migrations, models

from accounts.migrations._append_only import keep

SQL = """
CREATE FUNCTION workload_scales_close_once() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.restored_at IS NOT NULL
        OR (to_jsonb(NEW) - '{replicas,restored_at}'::text[])
            IS DISTINCT FROM (to_jsonb(OLD) - '{replicas,restored_at}'::text[]) THEN
        RAISE EXCEPTION 'what a workload ran with is closed once and then never changes'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'workload_scales_close_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER workload_scales_close_once BEFORE UPDATE ON workload_scales
    FOR EACH ROW EXECUTE FUNCTION workload_scales_close_once();
"""
UNDO = "DROP FUNCTION workload_scales_close_once() CASCADE"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_reasons_of_an_organization"),
        ("quotas", "0011_catalogs_begin_as_drafts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClusterCursor",
            fields=[
                ("watched", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("resource_version", models.CharField(max_length=64)),
                ("read_at", models.DateTimeField()),
            ],
            options={"db_table": "cluster_cursors"},
        ),
        migrations.CreateModel(
            name="ClusterSync",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("generation", models.BigIntegerField(default=1)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("applied_at", models.DateTimeField(null=True)),
                (
                    "left_alone",
                    models.JSONField(default=list, help_text="Objects of our names that are somebody else's."),
                ),
                ("refused", models.TextField(blank=True, help_text="Why the cluster's instruction was not followed.")),
                ("refused_digest", models.CharField(blank=True, max_length=64)),
                (
                    "followed_digest",
                    models.CharField(
                        blank=True,
                        help_text="The instruction last followed, until the cluster has our answer to it.",
                        max_length=64,
                    ),
                ),
                (
                    "organization",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "db_table": "cluster_syncs",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["next_attempt_at"],
                        name="cluster_syncs_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization",), name="one_cluster_sync_per_organization", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkloadScale",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("namespace", models.CharField(max_length=127)),
                ("kind", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=253)),
                (
                    "replicas",
                    models.PositiveIntegerField(help_text="Empty for a CronJob, which is suspended.", null=True),
                ),
                ("scaled_at", models.DateTimeField()),
                ("restored_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="workload_scales",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "db_table": "workload_scales",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("restored_at", None)),
                        fields=("organization", "namespace", "kind", "name"),
                        name="one_open_scale_per_workload",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind__in", ["Deployment", "StatefulSet"]),
                                ("replicas__gte", 1),
                                ("replicas__isnull", False),
                            ),
                            models.Q(("kind", "CronJob"), ("replicas", None)),
                            _connector="OR",
                        ),
                        name="workload_scale_says_what_to_restore",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("restored_at", None), ("restored_at__gte", models.F("scaled_at")), _connector="OR"
                        ),
                        name="workload_is_restored_after_it_was_scaled",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, UNDO),
        migrations.RunSQL(keep("workload_scales"), migrations.RunSQL.noop),
    ]
