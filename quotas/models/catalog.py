from decimal import Decimal

from django.db import models
from simple_history.models import HistoricalRecords

from accounts.public_ids import PublicId


class Sku(PublicId, models.Model):
    """What is sold by the unit and the hour: an H100, a vCPU, a terabyte."""

    PUBLIC_PREFIX = "sku"

    code = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=256)
    unit = models.CharField(max_length=32)
    created_at = models.DateTimeField()

    history = HistoricalRecords()

    class Meta:
        db_table = "skus"
        verbose_name = "SKU"

    def __str__(self) -> str:
        return self.name


class SkuRate(models.Model):
    """A price per unit and hour in force from a moment on, until the next one. Append-only.

    Ten decimals; a trigger refuses a rate that would begin before usage already billed.
    """

    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="rates")
    currency = models.CharField(max_length=3)
    rate_per_unit_hour = models.DecimalField(max_digits=20, decimal_places=10)
    effective_from = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "sku_rates"
        verbose_name = "SKU rate"
        constraints = [
            models.UniqueConstraint(fields=["sku", "currency", "effective_from"], name="one_rate_per_moment"),
            models.CheckConstraint(condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="sku_rates_currency_shape"),
            models.CheckConstraint(
                condition=models.Q(rate_per_unit_hour__gte=0, rate_per_unit_hour__lt=Decimal(10) ** 10),
                name="sku_rates_rate_is_a_number",
            ),
        ]
        indexes = [models.Index(fields=["effective_from"], name="sku_rates_in_force_since")]

    def __str__(self) -> str:
        return f"{self.sku_id}: {self.rate_per_unit_hour} {self.currency}"
