from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from accounts.external_ids import external_id_field
from accounts.public_ids import PublicId


class Organization(PublicId, models.Model):
    """The tenant: whoever owns projects and pays through billing accounts."""

    PUBLIC_PREFIX = "org"

    name = models.CharField(max_length=256)
    slug = models.SlugField(max_length=63, unique=True)
    external_id = external_id_field()
    personal = models.BooleanField(default=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_organizations")
    language = models.CharField(max_length=16, default="en", help_text="The language its mail is written in.")
    issuer = models.ForeignKey(
        "accounts.TrustedIssuer",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="organizations",
        help_text="Whose tokens opened it, and may bring people into it.",
    )
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        db_table = "organizations"
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=models.Q(personal=True), name="one_personal_organization_per_user"
            ),
            models.UniqueConstraint(fields=["external_id"], name="organization_external_id_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Project(PublicId, models.Model):
    """What allocations belong to. It pays through its active binding."""

    PUBLIC_PREFIX = "prj"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=256)
    slug = models.SlugField(max_length=63)
    external_id = external_id_field()
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        db_table = "projects"
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="project_slug_once_per_organization"),
            models.UniqueConstraint(fields=["organization", "external_id"], name="project_external_id_once"),
            models.UniqueConstraint(fields=["id", "organization"], name="projects_id_organization"),
        ]

    def __str__(self) -> str:
        return self.name


class OrganizationRole(models.TextChoices):
    ORG_ADMIN = "org-admin"
    BILLING_ADMIN = "billing-admin"
    BILLING_VIEWER = "billing-viewer"
    PROJECT_USER = "project-user"
    GUEST = "guest"


class Membership(PublicId, models.Model):
    """Who belongs, in which role. A row is never deleted: who was let in again has the same one."""

    PUBLIC_PREFIX = "mbr"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=32, choices=OrganizationRole.choices)
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        db_table = "memberships"
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_role_per_member"),
            models.UniqueConstraint(fields=["id", "organization"], name="memberships_id_organization"),
            models.CheckConstraint(
                condition=models.Q(role__in=OrganizationRole.values), name="memberships_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.role}"
