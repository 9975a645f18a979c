from django.db import migrations

from accounts.migrations._indexes import beside_writers


class Migration(migrations.Migration):
    """What was asked to be released and is not confirmed: few rows of a long table."""

    atomic = False
    dependencies = [("quotas", "0003_allocations_are_found_by_external_id")]

    operations = beside_writers(
        allocations_releasing="allocations (release_requested_at, id) WHERE status = 'releasing'",
    )
