"""The book. Rows here are never changed: triggers, grants and PROTECT refuse it (see ledger/README.md)."""

from django.db import models
from django.db.models import Q

from accounts.models import BillingAccount, LegalEntity
from accounts.public_ids import PublicId


class LedgerAccount(models.Model):
    """An account of the book. Customer kinds are chained: their entries carry a sequence and a running balance."""

    # One index, the unique one: on a fresh book a second would tempt the planner into scanning it for each account.
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=32)
    detail = models.CharField(max_length=64, default="", blank=True)
    currency = models.CharField(max_length=3)
    billing_account = models.ForeignKey(
        BillingAccount, null=True, on_delete=models.PROTECT, related_name="ledger_accounts", db_index=False
    )
    chained = models.BooleanField()

    class Meta:
        db_table = "ledger_accounts"
        constraints = [
            models.UniqueConstraint(
                fields=["billing_account", "kind", "detail", "currency", "legal_entity"],
                nulls_distinct=False,
                name="one_ledger_account_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(chained=True, billing_account__isnull=False) | Q(chained=False, billing_account=None),
                name="customer_accounts_are_chained",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.currency}"


class LedgerTransaction(PublicId, models.Model):
    """One act. `business_key` says what the money is, so that no money is written twice."""

    PUBLIC_PREFIX = "tx"

    business_key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=32)
    correlation_id = models.CharField(max_length=64)
    actor = models.CharField(max_length=64)
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField(editable=False)

    class Meta:
        db_table = "ledger_transactions"
        managed = False

    def __str__(self) -> str:
        return self.business_key


class LedgerEntry(PublicId, models.Model):
    """One line: positive credits, negative debits, in minor units."""

    PUBLIC_PREFIX = "ent"

    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    ledger_account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="entries")
    billing_account = models.ForeignKey(BillingAccount, null=True, on_delete=models.PROTECT, related_name="+")
    account_seq = models.BigIntegerField(null=True)
    amount_minor = models.BigIntegerField()
    balance_after = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=32)
    reference_type = models.CharField(max_length=40)
    reference_id = models.BigIntegerField()
    metadata = models.JSONField(null=True)
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField(editable=False)

    class Meta:
        db_table = "ledger_entries"
        managed = False
        verbose_name_plural = "ledger entries"

    def __str__(self) -> str:
        return self.public_id
