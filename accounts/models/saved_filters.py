from django.conf import settings
from django.db import models


class SavedFilter(models.Model):
    """A list as somebody likes to see it: the page and its query, under a name of their own."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_filters")
    page = models.CharField(max_length=100)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=1000)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "saved_filters"
        constraints = [
            models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filter_name_once_per_page"),
        ]

    def __str__(self) -> str:
        return self.name
