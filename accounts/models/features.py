from django.db import models

from accounts.models.organizations import Organization


class Feature(models.TextChoices):
    MULTI_BILLING_ACCOUNTS = "multi-billing-accounts"


class FeatureGrant(models.Model):
    """A feature an organization has over [granted_at, revoked_at). A trigger lets a row change once: revoked."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="feature_grants")
    feature = models.CharField(max_length=64, choices=Feature.choices)
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "feature_grants"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "feature"],
                condition=models.Q(revoked_at=None),
                name="one_open_grant_per_feature",
            ),
            models.CheckConstraint(condition=models.Q(feature__in=Feature.values), name="feature_is_known"),
            models.CheckConstraint(
                condition=models.Q(revoked_at=None) | models.Q(revoked_at__gte=models.F("granted_at")),
                name="feature_is_revoked_after_it_was_granted",
            ),
        ]

    def __str__(self) -> str:
        return self.feature
