from django.db import migrations

from accounts.migrations._indexes import beside_writers


class Migration(migrations.Migration):
    """Days of the book, request ids, and reasons. All but one entry in a thousand is usage: that reason needs no index."""

    atomic = False
    dependencies = [("ledger", "0008_episodes_close_once")]

    operations = beside_writers(
        ledger_entries_by_moment="ledger_entries (effective_at, id)",
        ledger_entries_of_reason="ledger_entries (reason, id) WHERE reason <> 'usage'",
        ledger_transactions_by_moment="ledger_transactions (effective_at, id)",
        ledger_transactions_of_kind="ledger_transactions (kind, id) WHERE kind <> 'usage'",
        ledger_transactions_by_correlation="ledger_transactions (correlation_id)",
    )
