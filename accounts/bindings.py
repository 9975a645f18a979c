"""Bindings: which account pays for a project. A rebind supersedes and activates in one transaction."""

from datetime import datetime

from django.db import transaction

from accounts import enforcement, guards, reactions
from accounts.audit import Actor, record
from accounts.clock import check_moment
from accounts.errors import AccountHalted, AccountNotReady, Conflict, NotFound, constraints
from accounts.locking import lock_accounts
from accounts.models import BillingAccount, BillingAccountBinding, BindingPhase, Level, Phase, Project


def active_binding(project: Project) -> BillingAccountBinding | None:
    """The binding that pays now, or None."""
    return project.bindings.filter(phase=BindingPhase.ACTIVE).first()


@transaction.atomic
def bind(project: Project, account: BillingAccount, *, actor: Actor, at: datetime) -> BillingAccountBinding:
    """Let `account` pay for `project` from `at` on. Raises NotFound, AccountNotReady, Conflict (already bound)."""
    at = check_moment(at)
    locked = _ready(lock_accounts([account.pk])[account.pk], project)
    bound = Conflict("the project already has an active billing account binding", field="project", code="already_bound")
    with constraints({"one_active_binding_per_project": bound, "bindings_follow_each_other": bound}):
        return _establish(project, locked, actor=actor, at=at)


@transaction.atomic
def rebind(project: Project, account: BillingAccount, *, actor: Actor, at: datetime) -> BillingAccountBinding:
    """Move the project to another account from `at` on; usage before `at` stays with the old one.

    Raises NotFound, AccountNotReady, Conflict (`not_bound`, `already_billed`, `account_halted`) and what guards raise
    (`no_rate`).
    """
    at = check_moment(at)
    current = active_binding(project)
    if current is None:
        raise Conflict("the project has no active binding to move", field="project", code="not_bound")
    locked = lock_accounts([current.billing_account_id, account.pk])
    current = active_binding(project)
    if current is None or current.billing_account_id not in locked:
        raise Conflict("the binding changed meanwhile; try again", field="project", code="not_bound")
    _ready(locked[account.pk], project)
    if enforcement.level(account.pk) == Level.HALTED:
        raise AccountHalted("that account is halted and pays for nothing more")
    guards.check("project.rebind", project=project, account=locked[account.pk], at=at)
    if at < current.established_at:
        raise Conflict("the project was bound later than that", field="at", code="already_billed")
    current.phase, current.superseded_at = BindingPhase.SUPERSEDED, at
    billed = Conflict("usage after that moment is already billed", field="at", code="already_billed")
    with constraints({"billed_usage_stands": billed}):
        current.save(update_fields=["phase", "superseded_at"])
    binding = _establish(project, locked[account.pk], actor=actor, at=at)
    reactions.follow("project.rebound", accounts=list(locked.values()), at=at)
    return binding


def _ready(account: BillingAccount, project: Project) -> BillingAccount:
    if account.organization_id != project.organization_id:
        raise NotFound("no such billing account", field="billing_account")
    if account.phase != Phase.READY:
        raise AccountNotReady(f"billing account is not ready (current phase: {account.phase})", field="billing_account")
    return account


def _establish(project: Project, account: BillingAccount, *, actor: Actor, at: datetime) -> BillingAccountBinding:
    binding = BillingAccountBinding.objects.create(
        organization_id=project.organization_id, project=project, billing_account=account, established_at=at
    )
    record(
        actor,
        "project.bind",
        subject=("project", project.pk),
        account=account,
        at=at,
        after={"billing_account": account.public_id},
    )
    return binding
