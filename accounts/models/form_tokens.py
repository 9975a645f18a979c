from django.conf import settings
from django.db import models


class UsedFormToken(models.Model):
    """A one-time form token that was spent; the primary key refuses the second click."""

    nonce = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=80)
    used_at = models.DateTimeField()

    class Meta:
        db_table = "used_form_tokens"

    def __str__(self) -> str:
        return self.purpose
