from django.db import models
from simple_history.models import HistoricalRecords

from accounts.public_ids import PublicId


class LegalEntity(PublicId, models.Model):
    """A company of ours that sells: its days are counted in its time zone, its reports in its base currency."""

    PUBLIC_PREFIX = "le"

    name = models.CharField(max_length=256, unique=True)
    country = models.CharField(max_length=2)
    base_currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField()

    history = HistoricalRecords()

    class Meta:
        db_table = "legal_entities"
        verbose_name_plural = "legal entities"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(base_currency__regex=r"^[A-Z]{3}$"), name="legal_entities_currency_shape"
            ),
        ]

    def __str__(self) -> str:
        return self.name
