from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q

from accounts.models import Organization, Project
from accounts.public_ids import PublicId


class LimitKind(models.TextChoices):
    """The first two carry the names of the cluster's objects, the others have none there."""

    HIERARCHICAL_RESOURCE_QUOTA = "hierarchical_resource_quota", "resource quota"
    LIMIT_RANGE = "limit_range", "container limits"
    EXTERNAL_IPS = "external_ips", "public addresses"
    OBJECT_STORAGE = "object_storage", "object storage"
    PROJECT_QUOTA = "project_quota", "project quota"


class Limit(models.Model):
    """What an organization, or one project of it, may use at most, as the cluster writes it.

    Derived from subscription, catalog and enforcement level; only a project's own quota is set by people. A row that is
    not `auto_managed` belongs to somebody else and is left as it is.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="limits")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="limits")
    kind = models.CharField(max_length=32, choices=LimitKind.choices)
    name = models.CharField(max_length=63)
    values = models.JSONField(encoder=DjangoJSONEncoder)
    labels = models.JSONField(default=dict)
    plan_code = models.CharField(max_length=63, blank=True)
    auto_managed = models.BooleanField(default=True)
    computed_at = models.DateTimeField()

    class Meta:
        db_table = "limits"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "project", "kind"], nulls_distinct=False, name="one_limit_of_a_kind"
            ),
            models.CheckConstraint(condition=Q(kind__in=LimitKind.values), name="limit_kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind="project_quota", project__isnull=False) | Q(~Q(kind="project_quota"), project=None),
                name="limit_of_a_project_is_its_quota",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LimitsDue(models.Model):
    """Organizations whose limits are to be computed again: claimed, computed and removed in one transaction.

    An organization may stand here several times: whoever marks it waits for nobody, and a mark that commits while its
    limits are being computed is not lost.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()

    class Meta:
        db_table = "limits_due"

    def __str__(self) -> str:
        return str(self.organization_id)


class ReportedUsage(models.Model):
    """What the platform last said is in use, of the whole organization or of one project. Null is unknown, not zero."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="reported_usage")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    dimension = models.CharField(max_length=63)
    used = models.DecimalField(max_digits=28, decimal_places=9, null=True)
    reported_at = models.DateTimeField()
    alerted_percent = models.PositiveSmallIntegerField(default=0, help_text="The highest alert it has reached.")

    class Meta:
        db_table = "reported_usage"
        verbose_name_plural = "reported usage"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "project", "dimension"], nulls_distinct=False, name="one_report_per_dimension"
            ),
            models.CheckConstraint(
                condition=Q(used=None) | Q(used__gte=0, used__lt=10**19), name="reported_usage_is_a_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension}: {self.used}"


class NetworkType(models.TextChoices):
    PUBLIC = "public"
    CLOUD = "cloud"


class ExternalIp(PublicId, models.Model):
    """An address an organization holds over [created_at, released_at). Only public ones count against its limit."""

    PUBLIC_PREFIX = "eip"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="external_ips")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=63)
    network_type = models.CharField(max_length=16, choices=NetworkType.choices)
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "external_ips"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "project", "name"],
                condition=Q(released_at=None),
                nulls_distinct=False,
                name="external_ip_name_once_while_held",
            ),
            models.CheckConstraint(condition=Q(network_type__in=NetworkType.values), name="external_ip_type_is_known"),
            models.CheckConstraint(
                condition=Q(released_at=None) | Q(released_at__gte=F("created_at")),
                name="external_ip_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name
