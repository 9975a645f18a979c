from django.db import models
from simple_history.models import HistoricalRecords

from accounts.models.legal_entities import LegalEntity
from accounts.models.organizations import Organization
from accounts.public_ids import PublicId


class Settlement(models.TextChoices):
    PREPAID = "prepaid"
    POSTPAID = "postpaid"


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
    currency = models.CharField(max_length=3)
    settlement = models.CharField(max_length=16, choices=Settlement.choices)
    phase = models.CharField(max_length=16, choices=Phase.choices, default=Phase.PROVISIONING)
    test_now = models.DateTimeField(null=True, blank=True, help_text="A test clock; empty means the real one.")
    created_at = models.DateTimeField()

    history = HistoricalRecords()

    class Meta:
        db_table = "billing_accounts"
        constraints = [
            models.UniqueConstraint(fields=["id", "organization"], name="billing_accounts_id_organization"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="billing_accounts_currency_shape"
            ),
            models.CheckConstraint(
                condition=models.Q(settlement__in=Settlement.values),
                name="billing_accounts_settlement_is_known",
            ),
            models.CheckConstraint(condition=models.Q(phase__in=Phase.values), name="billing_accounts_phase_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency}, {self.settlement})"
