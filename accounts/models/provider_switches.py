from django.conf import settings
from django.db import models
from django.db.models import F, Q


class ProviderSwitch(models.Model):
    """From when on customers start payments with another provider. The newest holds. Append-only.

    Each row follows the one that it replaces, so two people who switch at once cannot both have seen the same before.
    """

    provider = models.CharField(max_length=32)
    replaced = models.CharField(max_length=32, help_text="What held before.")
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.TextField()
    switched_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    switched_at = models.DateTimeField()

    class Meta:
        db_table = "billing_provider_switches"
        verbose_name = "payment provider"
        constraints = [
            models.UniqueConstraint(fields=["follows"], nulls_distinct=False, name="one_switch_follows_another"),
            models.CheckConstraint(condition=~Q(provider=F("replaced")), name="a_switch_changes_the_provider"),
            models.CheckConstraint(condition=Q(provider__regex=r"^[a-z][a-z0-9_-]*$"), name="switched_provider_shape"),
        ]

    def __str__(self) -> str:
        return f"{self.replaced} → {self.provider}"
