from django.db import models
from django.db.models import Q

from accounts.models import BillingAccount
from accounts.public_ids import PublicId
from ledger.models.book import LedgerTransaction


class CreditLot(PublicId, models.Model):
    """Promotional credit as it was granted, in minor units of the account's currency. Append-only."""

    PUBLIC_PREFIX = "lot"

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="credit_lots")
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, related_name="credit_lot")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    granted_at = models.DateTimeField()

    class Meta:
        db_table = "credit_lots"
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="credit_lot_is_positive"),
        ]

    def __str__(self) -> str:
        return self.public_id
