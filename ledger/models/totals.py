from django.db import models

from accounts.models import LegalEntity


class DailyFigures(models.Model):
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    kind = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    sum_minor = models.BigIntegerField()
    entry_count = models.BigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.currency}: {self.sum_minor}"


class DailyTotal(DailyFigures):
    """Sum and count of entries of a kind on a day of the legal entity's time zone, as far as folded."""

    class Meta:
        db_table = "daily_totals"
        constraints = [
            models.UniqueConstraint(fields=["legal_entity", "day", "kind", "currency"], name="one_total_per_day"),
        ]


class DailyTotalIncrement(DailyFigures):
    """What one act adds to the day, written with it; a task folds increments into totals and removes them."""

    class Meta:
        db_table = "daily_total_increments"
