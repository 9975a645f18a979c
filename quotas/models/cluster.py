from django.db import models
from django.db.models import Q

from accounts.models import Organization


class ClusterSync(models.Model):
    """What stands in the cluster for an organization (for the catalog, where it has none): due, tried, done.

    `generation` counts the wishes: one that came while the cluster was being called is not lost in the answer to the
    one before it. `held_until` keeps others off while a worker calls.
    """

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    generation = models.BigIntegerField(default=1)
    next_attempt_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    applied_at = models.DateTimeField(null=True)
    left_alone = models.JSONField(default=list, help_text="Objects of our names that are somebody else's.")
    refused = models.TextField(blank=True, help_text="Why the cluster's instruction was not followed.")
    refused_digest = models.CharField(max_length=64, blank=True)
    followed_digest = models.CharField(
        max_length=64, blank=True, help_text="The instruction last followed, until the cluster has our answer to it."
    )

    class Meta:
        db_table = "cluster_syncs"
        verbose_name = "organization in the cluster"
        verbose_name_plural = "organizations in the cluster"
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], nulls_distinct=False, name="one_cluster_sync_per_organization"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="cluster_syncs_due"
            ),
        ]

    def __str__(self) -> str:
        return str(self.organization or "catalog")


class ClusterCursor(models.Model):
    """Up to which resource version one kind of object of the cluster has been read."""

    watched = models.CharField(max_length=40, primary_key=True)
    resource_version = models.CharField(max_length=64)
    read_at = models.DateTimeField()

    class Meta:
        db_table = "cluster_cursors"

    def __str__(self) -> str:
        return f"{self.watched} at {self.resource_version}"


class WorkloadScale(models.Model):
    """What a workload ran with before it was stopped. Written before the cluster is asked, so the count is never lost;
    closed once by the restore."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="workload_scales")
    namespace = models.CharField(max_length=127)
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=253)
    replicas = models.PositiveIntegerField(null=True, help_text="Empty for a CronJob, which is suspended.")
    scaled_at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "workload_scales"
        verbose_name = "stopped workload"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "namespace", "kind", "name"],
                condition=Q(restored_at=None),
                name="one_open_scale_per_workload",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["Deployment", "StatefulSet"], replicas__isnull=False, replicas__gte=1)
                | Q(kind="CronJob", replicas=None),
                name="workload_scale_says_what_to_restore",
            ),
            models.CheckConstraint(
                condition=Q(restored_at=None) | Q(restored_at__gte=models.F("scaled_at")),
                name="workload_is_restored_after_it_was_scaled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"
