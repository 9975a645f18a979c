from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0022_provider_switches"),
        ("ledger", "0011_burn_has_room_and_tails_have_ends"),
    ]

    operations = [
        migrations.AddField(
            model_name="balancestate",
            name="healthy_above_minor",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="balancestate",
            constraint=models.CheckConstraint(
                condition=models.Q(("healthy_above_minor__gte", 0)), name="balance_zero_is_never_healthy"
            ),
        ),
    ]
