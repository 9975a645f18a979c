from django.conf import settings
from django.db import models

from accounts.models.organizations import Organization
from accounts.public_ids import PublicId


class ApiKey(PublicId, models.Model):
    """A program's key. Of its secret only the hash is kept; a trigger lets a row be used and revoked, nothing else.

    Without an organization it is a key of the platform itself, at every organization.
    """

    PUBLIC_PREFIX = "key"

    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=64)
    slot = models.PositiveSmallIntegerField(help_text="1 or 2: a name has two keys alive while one replaces the other.")
    secret_sha256 = models.CharField(max_length=64)
    scopes = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="To the minute.")

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name", "slot"],
                condition=models.Q(revoked_at=None),
                nulls_distinct=False,
                name="two_keys_alive_of_a_name",
            ),
            models.CheckConstraint(condition=models.Q(slot__in=[1, 2]), name="api_key_slot_is_1_or_2"),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="api_key_expires_after_it_was_created"
            ),
            models.CheckConstraint(
                condition=models.Q(secret_sha256__regex=r"^[0-9a-f]{64}$"),  # noqa: S106 - a shape
                name="api_key_secret_is_a_hash",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
