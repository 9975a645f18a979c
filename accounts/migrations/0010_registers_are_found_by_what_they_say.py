from django.db import migrations

from accounts.migrations._indexes import beside_writers


class Migration(migrations.Migration):
    """Acts and topics; and deliveries that wait or were given up: nearly all arrived, and nobody asks for those."""

    atomic = False
    dependencies = [("accounts", "0009_people_find_what_they_look_for")]

    operations = beside_writers(
        audit_logs_of_action="audit_logs (action, id)",
        outbox_of_topic="outbox (topic, id)",
        outbox_deliveries_not_arrived="outbox_deliveries (id) WHERE state <> 'delivered'",
    )
