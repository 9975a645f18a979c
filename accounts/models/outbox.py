from django.db import models

from accounts.models.billing_accounts import BillingAccount
from accounts.models.organizations import Organization
from accounts.public_ids import PublicId


class OutboxMessage(models.Model):
    """Something that happened, written in the transaction in which it happened. Append-only.

    `seq` counts an account's messages 1, 2, 3 …, given under the account's lock.
    """

    topic = models.CharField(max_length=80)
    payload = models.JSONField()
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+")
    billing_account = models.ForeignKey(BillingAccount, null=True, on_delete=models.PROTECT, related_name="+")
    seq = models.BigIntegerField(null=True)
    correlation_id = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "outbox"
        constraints = [
            models.UniqueConstraint(fields=["billing_account", "seq"], name="outbox_seq_once_per_account"),
            models.CheckConstraint(
                condition=models.Q(billing_account=None, seq=None)
                | models.Q(billing_account__isnull=False, seq__isnull=False, seq__gte=1),
                name="outbox_account_rows_have_seq",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} #{self.pk}"


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class OutboxDelivery(PublicId, models.Model):
    """One message on its way along one route."""

    PUBLIC_PREFIX = "dlv"

    message = models.ForeignKey(OutboxMessage, on_delete=models.PROTECT, related_name="deliveries")
    billing_account = models.ForeignKey(BillingAccount, null=True, on_delete=models.PROTECT, related_name="+")
    route = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "outbox_deliveries"
        verbose_name_plural = "outbox deliveries"
        constraints = [
            models.UniqueConstraint(fields=["message", "route"], name="one_delivery_per_message_and_route"),
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="outbox_deliveries_state_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="pending"), name="outbox_deliveries_due"),
            models.Index(
                fields=["route", "billing_account", "id"],
                condition=models.Q(state="pending"),
                name="outbox_deliveries_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
