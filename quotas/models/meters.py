from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from accounts.public_ids import PublicId


class Aggregation(models.TextChoices):
    SUM = "Sum"
    MAX = "Max"
    MIN = "Min"
    COUNT = "Count"
    UNIQUE_COUNT = "UniqueCount"
    LATEST = "Latest"
    AVERAGE = "Average"


class MeterPhase(models.TextChoices):
    DRAFT = "Draft"
    PUBLISHED = "Published"
    DEPRECATED = "Deprecated"
    RETIRED = "Retired"


class Meter(PublicId, models.Model):
    """What usage is measured in: a metric, its unit (UCUM) and its dimensions, a list of names that only grows."""

    PUBLIC_PREFIX = "mtr"

    name = models.CharField(max_length=253, unique=True)
    display_name = models.CharField(max_length=128)
    unit = models.CharField(max_length=64)
    aggregation = models.CharField(max_length=16, choices=Aggregation.choices)
    dimensions = models.JSONField(default=list)
    phase = models.CharField(max_length=16, choices=MeterPhase.choices, default=MeterPhase.DRAFT)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        db_table = "meters"
        constraints = [
            models.CheckConstraint(
                condition=Q(phase="Draft", published_at=None) | Q(~Q(phase="Draft"), published_at__isnull=False),
                name="meters_published_has_its_time",
            ),
            models.CheckConstraint(condition=Q(phase__in=MeterPhase.values), name="meters_phase_is_known"),
            models.CheckConstraint(condition=Q(aggregation__in=Aggregation.values), name="meters_aggregation_is_known"),
        ]

    def __str__(self) -> str:
        return self.name
