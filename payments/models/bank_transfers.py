from django.conf import settings
from django.db import models

from accounts.models import BillingAccount, LegalEntity
from accounts.public_ids import PublicId
from ledger.models import LedgerTransaction


class BankTransfer(PublicId, models.Model):
    """Money that arrived on our bank account and that finance staff recorded. Append-only."""

    PUBLIC_PREFIX = "btr"

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="bank_transfers")
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    value_date = models.DateField()
    reference = models.CharField(max_length=120)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, related_name="bank_transfer")

    class Meta:
        db_table = "bank_transfers"
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="bank_transfer_reference_once"),
            models.CheckConstraint(
                condition=models.Q(amount_minor__gt=0, amount_minor__lte=10**15),
                name="bank_transfer_amount_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
