from django.db import migrations, models


class Migration(migrations.Migration):
    """A few rows, each overwritten every few seconds: room on the page keeps such updates off the index."""

    dependencies = [("accounts", "0011_test_clocks_are_few")]

    operations = [
        migrations.CreateModel(
            name="Doorbell",
            fields=[
                ("task", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("rang_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={"db_table": "doorbells"},
        ),
        migrations.RunSQL(
            "ALTER TABLE doorbells SET (fillfactor = 10, autovacuum_vacuum_threshold = 500)", migrations.RunSQL.noop
        ),
    ]
