from django.db import models

from accounts.models.billing_accounts import BillingAccount
from accounts.models.organizations import Organization, Project
from accounts.public_ids import PublicId


class BindingPhase(models.TextChoices):
    ACTIVE = "Active"
    SUPERSEDED = "Superseded"


class BillingAccountBinding(PublicId, models.Model):
    """Which account pays for a project over [established_at, superseded_at). Kept for ever once superseded.

    A trigger lets a row change once: Active to Superseded, with its time.
    """

    PUBLIC_PREFIX = "bnd"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="bindings")
    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="bindings")
    phase = models.CharField(max_length=16, choices=BindingPhase.choices, default=BindingPhase.ACTIVE)
    established_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "billing_account_bindings"
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(phase="Active"), name="one_active_binding_per_project"
            ),
            models.CheckConstraint(
                condition=models.Q(phase="Active", superseded_at=None)
                | models.Q(
                    phase="Superseded", superseded_at__isnull=False, superseded_at__gte=models.F("established_at")
                ),
                name="bindings_superseded_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} → {self.billing_account}"
