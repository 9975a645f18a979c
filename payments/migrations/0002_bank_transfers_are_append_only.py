from django.db import migrations

from accounts.migrations._append_only import guard


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [migrations.RunSQL(guard("bank_transfers"), migrations.RunSQL.noop)]
