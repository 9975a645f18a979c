"""Bindings: which account pays for a project. A rebind supersedes and activates in one transaction."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count

from accounts import enforcement, guards, reactions
from accounts.audit import Actor, optional_reason, record
from accounts.clock import check_moment
from accounts.errors import AccountHalted, AccountNotReady, Conflict, NotFound, constraints
from accounts.locking import lock_accounts, lock_organization
from accounts.models import BillingAccount, BillingAccountBinding, BindingPhase, Level, Phase, Project


def active_binding(project: Project) -> BillingAccountBinding | None:
    """The binding that pays now, or None."""
    return project.bindings.filter(phase=BindingPhase.ACTIVE).first()


def linked_projects(account_ids: Iterable[int]) -> Counter[int]:
    """How many projects each account pays for now, 0 for those not in it; one query."""
    active = BillingAccountBinding.objects.filter(billing_account__in=list(account_ids), phase=BindingPhase.ACTIVE)
    counted = active.values("billing_account_id").annotate(projects=Count("pk")).order_by()
    return Counter({row["billing_account_id"]: row["projects"] for row in counted})


@transaction.atomic
def bind(
    project: Project, account: BillingAccount, *, actor: Actor, reason: str | None = None, at: datetime
) -> BillingAccountBinding:
    """Let `account` pay for `project` from `at` on.

    Raises NotFound, AccountNotReady, ReasonRequired, Conflict (`already_bound`, `closed`).
    """
    at, reason = check_moment(at), optional_reason(reason)
    lock_organization(project.organization_id)  # which is how a project is closed
    if Project.objects.filter(pk=project.pk).exclude(closed_at=None).exists():
        raise Conflict("the project is closed", field="project", code="closed")
    locked = _ready(lock_accounts([account.pk])[account.pk], project)
    bound = Conflict("the project already has an active billing account binding", field="project", code="already_bound")
    with constraints({"one_active_binding_per_project": bound, "bindings_follow_each_other": bound}):
        binding = _establish(project, locked, at=at)
    _record(actor, "project.bind", binding, reason=reason, at=at)
    return binding


@transaction.atomic
def rebind(
    project: Project, account: BillingAccount, *, actor: Actor, reason: str | None = None, at: datetime
) -> BillingAccountBinding:
    """Move the project to another account from `at` on; usage before `at` stays with the old one.

    Raises NotFound, AccountNotReady, ReasonRequired, Conflict (`not_bound`, `already_bound`: by that account,
    `already_billed`, `account_halted`) and what guards raise (`no_rate`).
    """
    at, reason = check_moment(at), optional_reason(reason)
    current = active_binding(project)
    if current is None:
        raise Conflict("the project has no active binding to move", field="project", code="not_bound")
    locked = lock_accounts([current.billing_account_id, account.pk])
    current = active_binding(project)
    if current is None or current.billing_account_id not in locked:
        raise Conflict("the binding changed meanwhile; try again", field="project", code="not_bound")
    _ready(locked[account.pk], project)
    if current.billing_account_id == account.pk:
        raise Conflict("that account pays for the project already", field="billing_account", code="already_bound")
    if enforcement.level(account.pk) == Level.HALTED:
        raise AccountHalted("that account is halted and pays for nothing more")
    guards.check("project.rebind", project=project, account=locked[account.pk], at=at)
    end_binding(current, at=at)
    binding = _establish(project, locked[account.pk], at=at)
    _record(actor, "project.rebind", binding, before=current, reason=reason, at=at)
    reactions.follow("project.rebound", accounts=list(locked.values()), at=at)
    return binding


def end_binding(binding: BillingAccountBinding, *, at: datetime) -> None:
    """Let an active binding end. The caller holds its account's lock. Raises Conflict (`already_billed`)."""
    if at < binding.established_at:
        raise Conflict("the project was bound later than that", field="at", code="already_billed")
    binding.phase, binding.superseded_at = BindingPhase.SUPERSEDED, at
    billed = Conflict("usage after that moment is already billed", field="at", code="already_billed")
    with constraints({"billed_usage_stands": billed}):
        binding.save(update_fields=["phase", "superseded_at"])


def _ready(account: BillingAccount, project: Project) -> BillingAccount:
    if account.organization_id != project.organization_id:
        raise NotFound("no such billing account", field="billing_account")
    if account.phase != Phase.READY:
        raise AccountNotReady(f"billing account is not ready (current phase: {account.phase})", field="billing_account")
    return account


def _establish(project: Project, account: BillingAccount, *, at: datetime) -> BillingAccountBinding:
    return BillingAccountBinding.objects.create(
        organization_id=project.organization_id, project=project, billing_account=account, established_at=at
    )


def _record(
    actor: Actor,
    action: str,
    binding: BillingAccountBinding,
    *,
    before: BillingAccountBinding | None = None,
    reason: str,
    at: datetime,
) -> None:
    """One row for the account that pays now; where it moved, one for the account it left."""
    former = before.billing_account.public_id if before else None
    row: dict[str, Any] = {"subject": ("project", binding.project_id), "reason": reason, "at": at}
    row |= {"before": {"billing_account": former} if former else None}
    row |= {"after": {"billing_account": binding.billing_account.public_id, "project": binding.project.public_id}}
    record(actor, action, account=binding.billing_account, **row)
    if before:
        record(actor, "project.leave", account=before.billing_account, **row)
