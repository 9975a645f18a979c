from django.db import migrations, models


class Migration(migrations.Migration):
    """Net days, invoice frequency and day, and the time zone of an account; those that exist have the standard terms."""

    dependencies = [("accounts", "0014_features_are_granted_and_revoked")]

    operations = [
        migrations.AddField(
            model_name="billingaccount",
            name="invoice_day",
            field=models.PositiveSmallIntegerField(db_default=1, default=1, help_text="Of the month, from 1 to 28."),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="invoice_frequency",
            field=models.CharField(
                choices=[("Monthly", "Monthly"), ("Quarterly", "Quarterly"), ("Annual", "Annual")],
                db_default="Monthly",
                default="Monthly",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="net_days",
            field=models.PositiveSmallIntegerField(
                db_default=30, default=30, help_text="An invoice is due after so many."
            ),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="time_zone",
            field=models.CharField(
                db_default="UTC", default="UTC", help_text="In which its days begin.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="historicalbillingaccount",
            name="invoice_day",
            field=models.PositiveSmallIntegerField(db_default=1, default=1, help_text="Of the month, from 1 to 28."),
        ),
        migrations.AddField(
            model_name="historicalbillingaccount",
            name="invoice_frequency",
            field=models.CharField(
                choices=[("Monthly", "Monthly"), ("Quarterly", "Quarterly"), ("Annual", "Annual")],
                db_default="Monthly",
                default="Monthly",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="historicalbillingaccount",
            name="net_days",
            field=models.PositiveSmallIntegerField(
                db_default=30, default=30, help_text="An invoice is due after so many."
            ),
        ),
        migrations.AddField(
            model_name="historicalbillingaccount",
            name="time_zone",
            field=models.CharField(
                db_default="UTC", default="UTC", help_text="In which its days begin.", max_length=64
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("net_days__range", (1, 3650))), name="net_days_are_in_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("invoice_day__range", (1, 28))), name="invoice_day_is_in_every_month"
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("invoice_frequency__in", ["Monthly", "Quarterly", "Annual"])),
                name="invoice_frequency_is_known",
            ),
        ),
    ]
