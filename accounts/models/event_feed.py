from django.db import models

from accounts.models.organizations import Organization
from accounts.models.outbox import OutboxMessage


class FeedEvent(models.Model):
    """The place of an outbox message in the feed, given once it is committed: by a trigger without, then numbered."""

    message = models.OneToOneField(OutboxMessage, primary_key=True, on_delete=models.PROTECT, related_name="place")
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    position = models.BigIntegerField(null=True)

    class Meta:
        db_table = "event_feed"
        constraints = [
            models.UniqueConstraint(fields=["position"], name="one_event_at_a_position"),
            models.CheckConstraint(condition=models.Q(position__gte=1), name="positions_begin_at_one"),
        ]
        indexes = [
            models.Index(fields=["message"], condition=models.Q(position=None), name="event_feed_to_number"),
            models.Index(fields=["organization", "position"], name="event_feed_of_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.message_id}"
