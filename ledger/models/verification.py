from django.db import models


class VerificationRun(models.Model):
    """What `verify_books` looked at and found. `watermark` is the transaction id up to which all was seen."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    full = models.BooleanField()
    watermark = models.BigIntegerField()
    violations = models.JSONField()
    violation_count = models.PositiveIntegerField()

    class Meta:
        db_table = "verification_runs"
        indexes = [models.Index(fields=["-started_at"], name="verification_runs_newest")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.violation_count}"
