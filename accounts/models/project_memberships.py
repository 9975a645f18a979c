from django.db import models

from accounts.models.organizations import Membership, Organization, Project


class ProjectMembership(models.Model):
    """A member is let into a project. Members who reach every project by their role need none."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="projects")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="members")
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "project_memberships"
        constraints = [
            models.UniqueConstraint(fields=["membership", "project"], name="once_a_member_of_a_project"),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} in {self.project_id}"
