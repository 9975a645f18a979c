from django.db import models

from accounts.models.billing_accounts import BillingAccount


class Level(models.TextChoices):
    """From mild to severe; the account's level is its worst open reason, `full` where none is open."""

    WARN = "warn"
    RESTRICTED = "restricted"
    HALTED = "halted"


class EnforcementReason(models.Model):
    """Why an account is held back, by one source. Closed rows stay as history."""

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="enforcement_reasons")
    source = models.CharField(max_length=40)
    level = models.CharField(max_length=16, choices=Level.choices)
    why = models.TextField()
    since = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "enforcement_reasons"
        constraints = [
            models.UniqueConstraint(
                fields=["billing_account", "source"],
                condition=models.Q(closed_at=None),
                name="one_open_reason_per_source",
            ),
            models.CheckConstraint(condition=models.Q(level__in=Level.values), name="enforcement_level_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.level}"
