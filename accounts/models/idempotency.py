from django.db import models


class IdempotencyRecord(models.Model):
    """The answer to a request that carried an Idempotency-Key, written with its effect."""

    caller = models.CharField(max_length=80, help_text="Keys of different callers never meet.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_records"
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="one_answer_per_idempotency_key"),
            models.CheckConstraint(
                condition=models.Q(status__range=(200, 299)), name="only_what_was_done_is_answered_again"
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_records_by_age")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
