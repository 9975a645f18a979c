from django.db import migrations

from accounts.migrations._indexes import beside_writers


class Migration(migrations.Migration):
    """Beginnings of names in whatever case (upper() as Django compares them), request ids, and days."""

    atomic = False
    dependencies = [("accounts", "0008_policy_reasons_are_kept_whole")]

    operations = beside_writers(
        organizations_by_name="organizations (upper(name) text_pattern_ops)",
        projects_by_name="projects (upper(name) text_pattern_ops)",
        billing_accounts_by_name="billing_accounts (upper(name) text_pattern_ops)",
        audit_logs_by_correlation="audit_logs (correlation_id)",
        audit_logs_by_moment="audit_logs (at, id)",
        outbox_by_correlation="outbox (correlation_id)",
        outbox_by_moment="outbox (occurred_at, id)",
    )
