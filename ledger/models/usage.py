from django.db import models

from accounts.models import BillingAccount, Project
from accounts.public_ids import PublicId
from ledger.models.book import LedgerAccount
from quotas.models import Allocation, Sku, SkuRate


class UsageRecord(PublicId, models.Model):
    """One window of one allocation, rated. Append-only, partitioned by month.

    `cost_minor` is cost(interval_end) − cost(interval_start), counted from `segment_start`; a window that costs
    something names its one debit by (ledger_account, account_seq).
    """

    PUBLIC_PREFIX = "use"

    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="usage")
    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="usage")
    sku_rate = models.ForeignKey(SkuRate, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    segment_start = models.DateTimeField()
    interval_start = models.DateTimeField()
    interval_end = models.DateTimeField()
    cost_minor = models.BigIntegerField()
    waived_minor = models.BigIntegerField(default=0)
    ledger_account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    account_seq = models.BigIntegerField(null=True)

    class Meta:
        db_table = "usage_records"
        managed = False

    def __str__(self) -> str:
        return self.public_id


class AccrualCursor(models.Model):
    """How far an allocation is billed. Only triggers write it: usage moves it on, never back, never past a gap."""

    allocation = models.OneToOneField(Allocation, primary_key=True, on_delete=models.PROTECT, related_name="cursor")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    accrued_to = models.DateTimeField()
    done = models.BooleanField(editable=False)

    class Meta:
        db_table = "accrual_cursors"
        managed = False

    def __str__(self) -> str:
        return f"{self.allocation_id} → {self.accrued_to}"


class AccrualSchedule(models.Model):
    """When an account is next worth a look, and why it is parked. A hint for the drain, never a source of truth."""

    billing_account = models.OneToOneField(
        BillingAccount, primary_key=True, on_delete=models.PROTECT, related_name="accrual_schedule"
    )
    due_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)
    park_code = models.CharField(max_length=64, blank=True, default="")
    park_reason = models.TextField(blank=True, default="")
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accrual_schedules"
        indexes = [models.Index(fields=["due_at"], name="accrual_schedules_due")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(parked_at=None, retry_at=None)
                | models.Q(parked_at__isnull=False, retry_at__isnull=False),
                name="parked_accounts_are_retried",
            ),
        ]

    def __str__(self) -> str:
        return self.billing_account.name
