from django.db import migrations

from accounts.migrations._indexes import beside_writers


class Migration(migrations.Migration):
    """The lines of an account that are no usage, and the few accounts that are parked."""

    atomic = False
    dependencies = [("ledger", "0009_entries_are_found_by_day")]

    operations = beside_writers(
        ledger_entries_not_usage="ledger_entries (ledger_account_id, account_seq) WHERE reason <> 'usage'",
        accrual_schedules_parked="accrual_schedules (billing_account_id) WHERE parked_at IS NOT NULL",
    )
