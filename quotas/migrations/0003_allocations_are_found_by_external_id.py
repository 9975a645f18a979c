from django.db import migrations

from accounts.migrations._indexes import beside_writers


class Migration(migrations.Migration):
    """The platform's name of a machine, whatever project it is of."""

    atomic = False
    dependencies = [
        ("quotas", "0002_rates_and_allocations_keep_their_past"),
        ("accounts", "0009_people_find_what_they_look_for"),
    ]

    operations = beside_writers(
        allocations_by_external_id="allocations (external_id) WHERE external_id <> ''",
    )
