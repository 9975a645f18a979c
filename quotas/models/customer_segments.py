from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts.models import BillingAccount
from accounts.public_ids import PublicId


class CustomerSegment(PublicId, models.Model):
    """A kind of customers who are sold to at prices of their own: start-ups, universities."""

    PUBLIC_PREFIX = "seg"

    code = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=128)
    created_at = models.DateTimeField()

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        db_table = "customer_segments"

    def __str__(self) -> str:
        return self.name


class SegmentMembership(models.Model):
    """An account is of one segment at a time, over [effective_from, effective_to). Closed once, kept for ever."""

    billing_account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="segments")
    segment = models.ForeignKey(CustomerSegment, on_delete=models.PROTECT, related_name="memberships")
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "segment_memberships"
        constraints = [
            models.UniqueConstraint(
                fields=["billing_account"], condition=Q(effective_to=None), name="one_segment_per_account"
            ),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
                name="segment_membership_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.billing_account}: {self.segment}"
