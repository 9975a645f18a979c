from django.db import models
from simple_history.models import HistoricalRecords


class PolicyScope(models.TextChoices):
    USER = "user"
    PROJECT = "project"
    TENANT = "tenant"
    PLAN = "plan"
    GLOBAL = "global"


class PolicyValue(models.Model):
    """A policy set for one scope; `scope_id` is the id of the user, project, organization or plan."""

    key = models.CharField(max_length=80)
    scope = models.CharField(max_length=16, choices=PolicyScope.choices)
    scope_id = models.BigIntegerField(null=True, blank=True)
    value = models.JSONField()
    updated_at = models.DateTimeField()

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))  # reasons are kept whole

    class Meta:
        db_table = "policy_values"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "scope", "scope_id"], nulls_distinct=False, name="policy_value_once_per_scope"
            ),
            models.CheckConstraint(
                condition=models.Q(scope="global", scope_id=None)
                | (~models.Q(scope="global") & models.Q(scope_id__isnull=False)),
                name="policy_global_has_no_scope_id",
            ),
            models.CheckConstraint(
                condition=models.Q(scope__in=PolicyScope.values), name="policy_values_scope_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.scope})"
