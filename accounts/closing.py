"""Closing a project or an organization: for ever, with nothing running, and what it paid by stays to be read.

A closed project has no account that pays for it; a closed organization has no open project and no open account.
Rooms to the right object through the guards `project.close` and `organization.close`, and follow `organization.closed`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from accounts import guards, reactions, topics
from accounts.account_phases import ARCHIVE, change
from accounts.audit import Actor, record, require_reason
from accounts.bindings import active_binding, end_binding
from accounts.clock import check_moment
from accounts.errors import Conflict, Guarded, NotFound
from accounts.locking import lock_accounts, lock_organization
from accounts.models import Organization, Phase, Project
from accounts.outbox import emit


class Closed(Conflict):
    code = "closed"


@transaction.atomic
def close_project(project_id: int, *, actor: Actor, reason: str, at: datetime) -> Project:
    """Close a project from `at` on; its binding ends, and no account pays for it again.

    Raises NotFound, Closed, ReasonRequired, TimeInvalid, Conflict (`already_billed`: usage after `at`), and Guarded
    while something runs in it or its usage is not settled (`has_running_allocations`, `has_unsettled_usage`).
    """
    at, reason = check_moment(at), require_reason(reason)
    found = Project.objects.filter(pk=project_id).first()
    if found is None:
        raise NotFound("no such project", field="project")
    lock_organization(found.organization_id)
    return _close_project(Project.objects.get(pk=project_id), actor=actor, reason=reason, at=at)


@transaction.atomic
def close_organization(organization_id: int, *, actor: Actor, reason: str, at: datetime) -> Organization:
    """Close an organization from `at` on: its projects are closed and its accounts archived, all or nothing.

    Raises NotFound, Closed, ReasonRequired, TimeInvalid, and Guarded, naming the project or account where something
    runs, is owed or is not settled.
    """
    at, reason = check_moment(at), require_reason(reason)
    organization = lock_organization(organization_id)
    if organization.closed_at:
        raise Closed("the organization is closed", field="organization")
    guards.check("organization.close", organization=organization, at=at)
    lock_accounts(list(organization.billing_accounts.values_list("pk", flat=True)))
    for project in organization.projects.filter(closed_at=None).order_by("pk"):
        with _named(f"project {project.name} ({project.public_id})"):
            _close_project(project, actor=actor, reason=reason, at=at)
    for account in organization.billing_accounts.exclude(phase=Phase.ARCHIVED).order_by("pk"):
        with _named(f"billing account {account.name} ({account.public_id})"):
            change(account.pk, ARCHIVE, actor=actor, reason=reason, at=at)
    organization.closed_at = at
    organization.save(update_fields=["closed_at"])
    record(
        actor,
        "organization.close",
        subject=("organization", organization.pk),
        organization_id=organization.pk,
        reason=reason,
        at=at,
    )
    reactions.follow("organization.closed", organization=organization, at=at)
    payload = {"organization": organization.public_id}
    emit(topics.ORGANIZATION_CLOSED, payload, at=at, organization_id=organization.pk)
    return organization


def _close_project(project: Project, *, actor: Actor, reason: str, at: datetime) -> Project:
    """The caller holds the organization's lock."""
    if project.closed_at:
        raise Closed("the project is closed", field="project")
    bound = active_binding(project)
    if bound:
        payer = lock_accounts([bound.billing_account_id])
        bound = active_binding(project)
        if bound is None or bound.billing_account_id not in payer:
            raise Conflict("the binding changed meanwhile; try again", field="project", code="not_bound")
    guards.check("project.close", project=project, at=at)
    if bound:
        end_binding(bound, at=at)
    project.closed_at = at
    project.save(update_fields=["closed_at"])
    record(
        actor,
        "project.close",
        subject=("project", project.pk),
        account=bound.billing_account if bound else None,
        organization_id=project.organization_id,
        reason=reason,
        after={"project": project.public_id},
        at=at,
    )
    return project


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Which of several a guard speaks of."""
    try:
        yield
    except Guarded as error:
        raise Guarded(f"{what}: {error.detail}", code=error.code) from error
