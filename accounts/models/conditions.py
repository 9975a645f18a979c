from django.db import models

from accounts.models.billing_accounts import BillingAccount


class ConditionStatus(models.TextChoices):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(models.Model):
    """A fact about an account, written by the room that knows it and read by anyone."""

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="conditions")
    type = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=ConditionStatus.choices)
    reason = models.CharField(max_length=64)
    message = models.TextField(blank=True)
    last_transition_at = models.DateTimeField()

    class Meta:
        db_table = "conditions"
        constraints = [
            models.UniqueConstraint(fields=["billing_account", "type"], name="one_condition_per_type"),
            models.CheckConstraint(
                condition=models.Q(status__in=ConditionStatus.values), name="conditions_status_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type}={self.status} ({self.reason})"
