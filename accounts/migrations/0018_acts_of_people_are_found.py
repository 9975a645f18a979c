from django.db import migrations

from accounts.migrations._indexes import beside_writers


class Migration(migrations.Migration):
    """What people did, without going through what systems did in between."""

    atomic = False
    dependencies = [("accounts", "0017_closed_for_ever")]

    operations = beside_writers(
        audit_logs_of_people_by_account="audit_logs (billing_account_id, id DESC) WHERE actor_id IS NOT NULL",
        audit_logs_of_people_by_organization="audit_logs (organization_id, id DESC) WHERE actor_id IS NOT NULL",
    )
