from django.db import models
from simple_history.models import HistoricalRecords

from accounts.external_ids import external_id_field
from accounts.models.legal_entities import LegalEntity
from accounts.models.organizations import Organization
from accounts.public_ids import PublicId


class Settlement(models.TextChoices):
    PREPAID = "prepaid"
    POSTPAID = "postpaid"


class InvoiceFrequency(models.TextChoices):
    MONTHLY = "Monthly"
    QUARTERLY = "Quarterly"
    ANNUAL = "Annual"


class Phase(models.TextChoices):
    PROVISIONING = "Provisioning"
    READY = "Ready"
    SUSPENDED = "Suspended"
    ARCHIVED = "Archived"


class BillingAccount(PublicId, models.Model):
    """Who is charged. Its row is the one lock of the system (`accounts/locking.py`); it holds no balance."""

    PUBLIC_PREFIX = "ba"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="billing_accounts")
    legal_entity = models.ForeignKey(
        LegalEntity, on_delete=models.PROTECT, related_name="billing_accounts", db_index=False
    )
    name = models.CharField(max_length=256)
    external_id = external_id_field()
    currency = models.CharField(max_length=3)
    settlement = models.CharField(max_length=16, choices=Settlement.choices)
    phase = models.CharField(max_length=16, choices=Phase.choices, default=Phase.PROVISIONING)
    net_days = models.PositiveSmallIntegerField(default=30, db_default=30, help_text="An invoice is due after so many.")
    invoice_frequency = models.CharField(
        max_length=16,
        choices=InvoiceFrequency.choices,
        default=InvoiceFrequency.MONTHLY,
        db_default=InvoiceFrequency.MONTHLY,
    )
    invoice_day = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="Of the month, from 1 to 28.")
    time_zone = models.CharField(max_length=64, default="UTC", db_default="UTC", help_text="In which its days begin.")
    test_now = models.DateTimeField(null=True, blank=True, help_text="A test clock; empty means the real one.")
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="Archived, and gone for its customer.")

    history = HistoricalRecords()

    class Meta:
        db_table = "billing_accounts"
        constraints = [
            models.UniqueConstraint(fields=["id", "organization"], name="billing_accounts_id_organization"),
            models.UniqueConstraint(fields=["organization", "external_id"], name="account_external_id_once"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="billing_accounts_currency_shape"
            ),
            models.CheckConstraint(
                condition=models.Q(settlement__in=Settlement.values),
                name="billing_accounts_settlement_is_known",
            ),
            models.CheckConstraint(condition=models.Q(phase__in=Phase.values), name="billing_accounts_phase_is_known"),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(phase=Phase.ARCHIVED),
                name="only_archived_accounts_are_deleted",
            ),
            models.CheckConstraint(condition=models.Q(net_days__range=(1, 3650)), name="net_days_are_in_range"),
            models.CheckConstraint(
                condition=models.Q(invoice_day__range=(1, 28)), name="invoice_day_is_in_every_month"
            ),
            models.CheckConstraint(
                condition=models.Q(invoice_frequency__in=InvoiceFrequency.values), name="invoice_frequency_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency}, {self.settlement})"
