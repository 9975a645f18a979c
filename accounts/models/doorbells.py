from django.db import models


class Doorbell(models.Model):
    """When a task last began and last ended in a worker: a ring proves beat, Redis and a worker at once.

    A hint for people, overwritten at each ring; no work is decided by it.
    """

    task = models.CharField(max_length=64, primary_key=True)
    rang_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "doorbells"

    def __str__(self) -> str:
        return f"{self.task} rang at {self.rang_at}"
