from django.db import models


class CatalogRefusal(models.Model):
    """A catalog that was refused while the last good one stayed in force: an alarm until one of its source is good."""

    source = models.CharField(max_length=64)
    faults = models.JSONField()
    refused_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalog_refusals"
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=models.Q(resolved_at=None), name="one_open_refusal_per_source"
            ),
        ]

    def __str__(self) -> str:
        return self.source
