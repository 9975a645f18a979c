import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    """Contact, invoice addresses, postal address and tax ids: personal data, on rows that can be erased."""

    dependencies = [("accounts", "0015_payment_terms")]

    operations = [
        migrations.CreateModel(
            name="BillingAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.CharField(max_length=2)),
                ("line1", models.CharField(blank=True, max_length=256)),
                ("line2", models.CharField(blank=True, max_length=256)),
                ("city", models.CharField(blank=True, max_length=128)),
                ("region", models.CharField(blank=True, max_length=128)),
                ("postal_code", models.CharField(blank=True, max_length=32)),
                (
                    "billing_account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="address",
                        to="accounts.billingaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")), name="address_country_shape"
                    ),
                ],
                "db_table": "billing_addresses",
            },
        ),
        migrations.CreateModel(
            name="BillingContact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.CharField(max_length=254)),
                ("name", models.CharField(blank=True, max_length=256)),
                ("business_name", models.CharField(blank=True, max_length=256)),
                (
                    "billing_account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact",
                        to="accounts.billingaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email__regex", "^[^@\\s]+@[^@\\s]+$")), name="contact_has_an_email"
                    ),
                ],
                "db_table": "billing_contacts",
            },
        ),
        migrations.CreateModel(
            name="InvoiceEmail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveSmallIntegerField()),
                ("email", models.CharField(max_length=254)),
                (
                    "billing_account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice_emails",
                        to="accounts.billingaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("billing_account", "place"), name="one_invoice_email_per_place"),
                    models.UniqueConstraint(
                        models.F("billing_account"),
                        django.db.models.functions.text.Lower("email"),
                        name="an_invoice_email_is_listed_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("place__range", (1, 10))), name="at_most_ten_invoice_emails"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("email__regex", "^[^@\\s]+@[^@\\s]+$")), name="invoice_email_is_an_address"
                    ),
                ],
                "db_table": "invoice_emails",
            },
        ),
        migrations.CreateModel(
            name="TaxId",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.CharField(max_length=32)),
                ("value", models.CharField(max_length=64)),
                (
                    "billing_account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_ids",
                        to="accounts.billingaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("billing_account", "type"), name="one_tax_id_per_type"),
                    models.CheckConstraint(
                        condition=models.Q(("type__regex", "^[a-z]{2}_[a-z][a-z_]*$")), name="tax_id_type_shape"
                    ),
                    models.CheckConstraint(condition=models.Q(("value", ""), _negated=True), name="tax_id_has_a_value"),
                ],
                "db_table": "tax_ids",
            },
        ),
    ]
