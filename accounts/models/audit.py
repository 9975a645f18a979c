from django.conf import settings
from django.db import models

from accounts.models.billing_accounts import BillingAccount
from accounts.models.organizations import Organization


class AuditLog(models.Model):
    """Who did what, why, and what it moved. Append-only; holds ids, never names or addresses."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_kind = models.CharField(max_length=32)
    action = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField(null=True)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+")
    billing_account = models.ForeignKey(BillingAccount, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    old_balance = models.BigIntegerField(null=True)
    new_balance = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    correlation_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "audit_logs"
        indexes = [
            models.Index(fields=["billing_account", "-id"], name="audit_logs_by_account"),
            models.Index(fields=["organization", "-id"], name="audit_logs_by_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.action} · {self.at:%Y-%m-%d %H:%M}"
