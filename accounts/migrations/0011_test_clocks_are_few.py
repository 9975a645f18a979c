from django.db import migrations

from accounts.migrations._indexes import beside_writers


class Migration(migrations.Migration):
    """Every page asks whether an account lives by a test clock; in production none does."""

    atomic = False
    dependencies = [("accounts", "0010_registers_are_found_by_what_they_say")]

    operations = beside_writers(
        billing_accounts_on_a_test_clock="billing_accounts (id) WHERE test_now IS NOT NULL",
    )
