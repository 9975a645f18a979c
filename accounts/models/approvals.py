from django.conf import settings
from django.db import models

from accounts.models.billing_accounts import BillingAccount
from accounts.models.organizations import Organization
from accounts.public_ids import PublicId


class ApprovalState(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class ApprovalRequest(PublicId, models.Model):
    """An act that waits for a second person. Approving it performs it, in the same transaction.

    The proposal never changes; a trigger lets `state` leave pending once, and never by the maker.
    """

    PUBLIC_PREFIX = "apr"

    act = models.CharField(max_length=80)
    payload = models.JSONField()
    summary = models.CharField(max_length=400)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+")
    billing_account = models.ForeignKey(BillingAccount, null=True, on_delete=models.PROTECT, related_name="approvals")
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    reason = models.TextField()
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=ApprovalState.choices, default=ApprovalState.PENDING)
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    result = models.JSONField(null=True)

    class Meta:
        db_table = "approval_requests"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(checker=None) | ~models.Q(checker=models.F("maker")),
                name="approval_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=models.Q(state="pending", checker=None, decided_at=None)
                | models.Q(state="expired", checker=None, decided_at__isnull=False)
                | models.Q(state__in=["approved", "rejected"], checker__isnull=False, decided_at__isnull=False),
                name="approval_decision_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=models.Q(state="pending"), name="approvals_waiting"),
        ]

    def __str__(self) -> str:
        return self.summary
