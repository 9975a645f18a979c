from django.db import models

from accounts.models.billing_accounts import BillingAccount
from accounts.models.organizations import Organization


class Level(models.TextChoices):
    """From mild to severe; the account's level is its worst open reason, `full` where none is open."""

    WARN = "warn"
    RESTRICTED = "restricted"
    HALTED = "halted"


class EnforcementReason(models.Model):
    """Why an account, or an organization as a whole, is held back by one source. Closed rows stay as history."""

    billing_account = models.ForeignKey(
        BillingAccount, on_delete=models.PROTECT, null=True, related_name="enforcement_reasons"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="enforcement_reasons"
    )
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
            models.UniqueConstraint(
                fields=["organization", "source"],
                condition=models.Q(closed_at=None, organization__isnull=False),
                name="one_open_reason_per_source_of_an_organization",
            ),
            models.CheckConstraint(
                condition=models.Q(billing_account=None, organization__isnull=False)
                | models.Q(billing_account__isnull=False, organization=None),
                name="enforcement_reason_holds_back_one_subject",
            ),
            models.CheckConstraint(condition=models.Q(level__in=Level.values), name="enforcement_level_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.level}"
