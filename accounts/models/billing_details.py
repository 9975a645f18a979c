"""Who is written to about an account, and where: personal data, on rows that can be erased and have no history."""

from django.db import models
from django.db.models.functions import Lower

from accounts.models.billing_accounts import BillingAccount


class BillingContact(models.Model):
    billing_account = models.OneToOneField(BillingAccount, on_delete=models.PROTECT, related_name="contact")
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=256, blank=True)
    business_name = models.CharField(max_length=256, blank=True)

    class Meta:
        db_table = "billing_contacts"
        constraints = [
            models.CheckConstraint(condition=models.Q(email__regex=r"^[^@\s]+@[^@\s]+$"), name="contact_has_an_email"),
        ]

    def __str__(self) -> str:
        return f"contact of account {self.billing_account_id}"


class InvoiceEmail(models.Model):
    """The first place is the primary address; the rest are sent copies."""

    billing_account = models.ForeignKey(
        BillingAccount, on_delete=models.PROTECT, related_name="invoice_emails", db_index=False
    )
    place = models.PositiveSmallIntegerField()
    email = models.CharField(max_length=254)

    class Meta:
        db_table = "invoice_emails"
        constraints = [
            models.UniqueConstraint(fields=["billing_account", "place"], name="one_invoice_email_per_place"),
            models.UniqueConstraint("billing_account", Lower("email"), name="an_invoice_email_is_listed_once"),
            models.CheckConstraint(condition=models.Q(place__range=(1, 10)), name="at_most_ten_invoice_emails"),
            models.CheckConstraint(
                condition=models.Q(email__regex=r"^[^@\s]+@[^@\s]+$"), name="invoice_email_is_an_address"
            ),
        ]

    def __str__(self) -> str:
        return f"invoice address {self.place} of account {self.billing_account_id}"


class BillingAddress(models.Model):
    billing_account = models.OneToOneField(BillingAccount, on_delete=models.PROTECT, related_name="address")
    country = models.CharField(max_length=2)
    line1 = models.CharField(max_length=256, blank=True)
    line2 = models.CharField(max_length=256, blank=True)
    city = models.CharField(max_length=128, blank=True)
    region = models.CharField(max_length=128, blank=True)
    postal_code = models.CharField(max_length=32, blank=True)

    class Meta:
        db_table = "billing_addresses"
        constraints = [
            models.CheckConstraint(condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="address_country_shape"),
        ]

    def __str__(self) -> str:
        return f"address of account {self.billing_account_id}"


class TaxId(models.Model):
    billing_account = models.ForeignKey(
        BillingAccount, on_delete=models.PROTECT, related_name="tax_ids", db_index=False
    )
    type = models.CharField(max_length=32)
    value = models.CharField(max_length=64)

    class Meta:
        db_table = "tax_ids"
        constraints = [
            models.UniqueConstraint(fields=["billing_account", "type"], name="one_tax_id_per_type"),
            models.CheckConstraint(
                condition=models.Q(type__regex=r"^[a-z]{2}_[a-z][a-z_]*$"), name="tax_id_type_shape"
            ),
            models.CheckConstraint(condition=~models.Q(value=""), name="tax_id_has_a_value"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of account {self.billing_account_id}"
