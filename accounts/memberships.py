"""Who belongs to an organization, in which role, and which of its projects they reach."""

from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, optional_reason, record
from accounts.clock import check_moment
from accounts.errors import Conflict, DomainError, NotFound, constraints
from accounts.locking import lock_open_organization, lock_organization
from accounts.models import Membership, OrganizationRole, Project, ProjectMembership, User
from accounts.signed_history import save_signed


class RoleUnknown(DomainError):
    code = "role_unknown"
    field = "role"


class LastAdmin(Conflict):
    code = "last_admin"


@transaction.atomic
def add(
    organization_id: int, user: User, role: str, *, actor: Actor, reason: str | None = None, at: datetime
) -> Membership:
    """Let a person in, in a role; one who was let in before gets their row back.

    Raises NotFound, RoleUnknown, ReasonRequired, Conflict (`closed`, `already_member`).
    """
    at, reason, role = check_moment(at), optional_reason(reason), known_role(role)
    organization = lock_open_organization(organization_id)
    member = Membership.objects.filter(organization=organization, user=user).first()
    if member is None:
        member = Membership(organization=organization, user=user, role=role, created_at=at)
    elif member.withdrawn_at is None:
        raise Conflict("that person belongs to the organization", field="email", code="already_member")
    member.role, member.withdrawn_at = role, None
    save_signed(member, actor, reason, at)
    _record("membership.add", member, actor=actor, reason=reason, at=at, after={"role": role})
    return member


@transaction.atomic
def change_role(membership_id: int, role: str, *, actor: Actor, reason: str | None = None, at: datetime) -> Membership:
    """Give a member another role. Raises NotFound, RoleUnknown, ReasonRequired, LastAdmin, Conflict
    (`withdrawn`, `nothing_changes`)."""
    at, reason, role = check_moment(at), optional_reason(reason), known_role(role)
    member = _locked(membership_id)
    before = member.role
    if role == before:
        raise Conflict("that is their role", field="role", code="nothing_changes")
    member.role = role
    _save(member, actor, reason, at)
    after = {"role": role}
    _record("membership.change_role", member, actor=actor, reason=reason, at=at, before={"role": before}, after=after)
    return member


@transaction.atomic
def withdraw(membership_id: int, *, actor: Actor, reason: str | None = None, at: datetime) -> Membership:
    """Take a membership back: refused from the next request on, whatever a token claims. The row is kept.

    Raises NotFound, ReasonRequired, LastAdmin, Conflict (`withdrawn`).
    """
    at, reason, member = check_moment(at), optional_reason(reason), _locked(membership_id)
    member.withdrawn_at = at
    _save(member, actor, reason, at)
    _record("membership.withdraw", member, actor=actor, reason=reason, at=at, before={"role": member.role})
    return member


@transaction.atomic
def let_in(
    membership_id: int, project_id: int, *, actor: Actor, reason: str | None = None, at: datetime
) -> ProjectMembership:
    """Let a member into a project. It matters to project-users; other roles reach every project or none.

    Raises NotFound, ReasonRequired, Conflict (`withdrawn`, `closed`, `already_let_in`).
    """
    at, reason, member = check_moment(at), optional_reason(reason), _locked(membership_id)
    project = _project(member, project_id)
    if project.closed_at:
        raise Conflict("the project is closed", field="project", code="closed")
    row = ProjectMembership.objects.filter(membership=member, project=project).first()
    if row is None:
        row = ProjectMembership(
            organization_id=member.organization_id, membership=member, project=project, created_at=at
        )
    elif row.withdrawn_at is None:
        raise Conflict("that member is in the project", field="project", code="already_let_in")
    row.withdrawn_at = None
    row.save()
    _record("membership.let_in", member, actor=actor, reason=reason, at=at, after={"project": project.public_id})
    return row


@transaction.atomic
def let_out(
    membership_id: int, project_id: int, *, actor: Actor, reason: str | None = None, at: datetime
) -> ProjectMembership:
    """Take a project from a member, whatever a token claims. The row is kept.

    Raises NotFound, ReasonRequired, Conflict (`withdrawn`, `not_let_in`).
    """
    at, reason, member = check_moment(at), optional_reason(reason), _locked(membership_id)
    project = _project(member, project_id)
    row = ProjectMembership.objects.filter(membership=member, project=project, withdrawn_at=None).first()
    if row is None:
        raise Conflict("that member is not in the project", field="project", code="not_let_in")
    row.withdrawn_at = at
    row.save(update_fields=["withdrawn_at"])
    _record("membership.let_out", member, actor=actor, reason=reason, at=at, before={"project": project.public_id})
    return row


def known_role(role: str) -> str:
    """Raises RoleUnknown."""
    if role not in OrganizationRole.values:
        raise RoleUnknown(f"a role is one of {', '.join(OrganizationRole.values)}")
    return role


def _locked(membership_id: int) -> Membership:
    """The membership, its organization's row locked. Raises NotFound, Conflict (`withdrawn`)."""
    found = Membership.objects.filter(pk=membership_id).values_list("organization_id", flat=True).first()
    if found is None:
        raise NotFound("no such member")
    lock_organization(found)
    member = Membership.objects.get(pk=membership_id)
    if member.withdrawn_at is not None:
        raise Conflict("that person does not belong to the organization any more", code="withdrawn")
    return member


def _save(member: Membership, actor: Actor, reason: str, at: datetime) -> None:
    last = LastAdmin("an organization keeps at least one org-admin", field="role")
    with constraints({"an_organization_keeps_an_admin": last}), transaction.atomic():
        save_signed(member, actor, reason, at)


def _project(member: Membership, project_id: int) -> Project:
    project = Project.objects.filter(pk=project_id, organization=member.organization_id).first()
    if project is None:
        raise NotFound("no such project", field="project")
    return project


def _record(
    action: str,
    member: Membership,
    *,
    actor: Actor,
    reason: str,
    at: datetime,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    subject = ("user", member.user_id)
    organization = member.organization_id
    record(
        actor, action, subject=subject, organization_id=organization, reason=reason, before=before, after=after, at=at
    )
