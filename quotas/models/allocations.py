from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.external_ids import LONGEST
from accounts.models import Organization, Project
from accounts.public_ids import PublicId
from quotas.models.catalog import Sku


class AllocationStatus(models.TextChoices):
    REQUESTED = "requested"
    ACTIVE = "active"
    RELEASING = "releasing"
    RELEASED = "released"


class Allocation(PublicId, models.Model):
    """A quantity of a SKU held by a project. It is charged over [started_at, released_at).

    `completed_at` is when the platform says the machine was gone; `released_at` is where charging stopped: the same
    moment, or the end of the last window billed where the platform told us late (the difference is credited).
    """

    PUBLIC_PREFIX = "alc"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="allocations")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="allocations")
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="allocations")
    external_id = models.CharField(max_length=LONGEST, blank=True)
    status = models.CharField(max_length=16, choices=AllocationStatus.choices, default=AllocationStatus.REQUESTED)
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    release_requested_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "allocations"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "external_id"],
                condition=~Q(external_id=""),
                name="allocation_external_id_once_per_project",
            ),
            models.CheckConstraint(
                condition=Q(status="requested", started_at=None, released_at=None)
                | Q(status="active", started_at__isnull=False, release_requested_at=None, released_at=None)
                | Q(
                    status="releasing",
                    started_at__isnull=False,
                    release_requested_at__isnull=False,
                    released_at=None,
                )
                | Q(status="released", released_at__isnull=False),
                name="allocations_status_has_its_times",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None) | Q(started_at=None) | Q(released_at__gte=F("started_at")),
                name="allocations_release_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class AllocationQuantity(models.Model):
    """How many units an allocation held over [effective_from, effective_to).

    A trigger lets a row change once: the open end is closed where the next row begins.
    """

    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="quantities")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "allocation_quantities"
        verbose_name_plural = "allocation quantities"
        constraints = [
            models.UniqueConstraint(
                fields=["allocation"], condition=Q(effective_to=None), name="one_open_quantity_per_allocation"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, quantity__lt=Decimal(10) ** 12),
                name="allocation_quantity_is_positive",
            ),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
                name="allocation_quantity_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return str(self.quantity)
