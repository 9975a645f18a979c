from django.conf import settings
from django.db import models

from accounts.public_ids import PublicId


class TrustedIssuer(PublicId, models.Model):
    """Whoever signs tokens that we accept. A trusted one opens people and organizations, any other only names them."""

    PUBLIC_PREFIX = "iss"

    issuer = models.CharField(max_length=200, unique=True)
    jwks_uri = models.CharField(max_length=500)
    audience = models.CharField(max_length=200)
    algorithms = models.JSONField()
    trusted = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "trusted_issuers"
        verbose_name = "token issuer"

    def __str__(self) -> str:
        return self.issuer


class ExternalIdentity(models.Model):
    """Who a token's subject is here. It never becomes somebody else."""

    issuer = models.ForeignKey(TrustedIssuer, on_delete=models.PROTECT, related_name="identities")
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="external_identities")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "external_identities"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="one_person_per_subject")]

    def __str__(self) -> str:
        return f"{self.issuer_id}:{self.pk}"
