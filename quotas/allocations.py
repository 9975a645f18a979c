"""The life of an allocation: requested, active, releasing, released. Charged from start to `releasing.completed`.

Every act locks the billing account that pays for the project, so that none runs beside a tick of that account.
"""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts import enforcement, guards, reactions
from accounts.audit import Actor, record, require_reason
from accounts.bindings import active_binding
from accounts.clock import check_moment
from accounts.errors import AccountHalted, AccountNotReady, Conflict, NotFound, TimeInvalid, constraints
from accounts.external_ids import check_external_id
from accounts.models import BillingAccount, BillingAccountBinding, BindingPhase, Level, Phase, Project
from accounts.outbox import emit
from quotas import topics
from quotas.decimals import parse_quantity
from quotas.errors import AlreadyBilled, NoRate, NotBound, ReleaseBeforeStart, WrongStatus
from quotas.models import Allocation, AllocationQuantity, AllocationStatus, Sku, SkuRate
from quotas.price_book import rate_in_force


@transaction.atomic
def request(
    project: Project,
    sku: Sku,
    *,
    quantity: object,
    external_id: str = "",
    actor: Actor,
    reason: str = "",
    at: datetime,
) -> Allocation:
    """Ask for a quantity of a SKU; nothing is charged yet.

    Raises QuantityInvalid, NotBound, AccountNotReady (archived), ReasonRequired, ExternalIdInvalid, Conflict
    (`external_id_taken`).
    """
    at, wanted = check_moment(at), parse_quantity(quantity)
    account, _ = _payer(project)
    if account.phase == Phase.ARCHIVED:
        raise AccountNotReady("the billing account is archived", field="billing_account")
    allocation = _open(project, sku, wanted, external_id=external_id, at=at)
    _audit(allocation, "allocation.request", account, actor, at, reason, quantity=str(wanted))
    return allocation


@transaction.atomic
def activate(allocation_id: int, *, actor: Actor, reason: str = "", at: datetime) -> Allocation:
    """Start charging a requested allocation from `at` on.

    Raises WrongStatus, AccountNotReady, AccountHalted, NoRate, TimeInvalid, and what guards raise.
    """
    at = check_moment(at)
    allocation, account, binding = _lock(allocation_id)
    _expect(allocation, AllocationStatus.REQUESTED)
    if at < allocation.requested_at:
        raise TimeInvalid("an allocation cannot start before it was requested")
    _may_start(allocation.project, allocation.sku, account, binding, at)
    allocation.status, allocation.started_at = AllocationStatus.ACTIVE, at
    allocation.save(update_fields=["status", "started_at"])
    _tell_start(allocation, account, actor, at, reason)
    return allocation


@transaction.atomic
def start(
    project: Project,
    sku: Sku,
    *,
    quantity: object,
    external_id: str = "",
    actor: Actor,
    reason: str = "",
    at: datetime,
) -> Allocation:
    """Request and activate in one act: the way of a platform that has the machine at hand. Raises what those raise."""
    at, wanted = check_moment(at), parse_quantity(quantity)
    account, binding = _payer(project)
    _may_start(project, sku, account, binding, at)
    allocation = _open(project, sku, wanted, external_id=external_id, at=at, started_at=at)
    _tell_start(allocation, account, actor, at, reason, quantity=str(wanted))
    return allocation


def check_start(project: Project, sku: Sku, *, at: datetime) -> tuple[BillingAccount, SkuRate]:
    """Who would pay, and at which rate, as of now and without a lock. Raises what refuses a start."""
    binding = active_binding(project)
    if binding is None:
        raise NotBound("the project has no active billing account binding")
    return binding.billing_account, _may_start(project, sku, binding.billing_account, binding, check_moment(at))


@transaction.atomic
def resize(allocation_id: int, *, quantity: object, actor: Actor, reason: str = "", at: datetime) -> Allocation:
    """Hold another quantity from `at` on; of two resizes in one instant the last wins.

    Raises QuantityInvalid, WrongStatus, AlreadyBilled (usage after `at` is billed).
    """
    at, wanted = check_moment(at), parse_quantity(quantity)
    allocation, account, _ = _lock(allocation_id)
    if allocation.status == AllocationStatus.RELEASED:
        raise WrongStatus("the allocation is released")
    current = allocation.quantities.filter(effective_to=None).first()
    if current is None:
        raise WrongStatus("the allocation holds no quantity to resize")
    if at < current.effective_from:
        raise AlreadyBilled("the allocation was resized later than that")
    current.effective_to = at
    with constraints({"billed_usage_stands": AlreadyBilled("usage after that moment is already billed")}):
        current.save(update_fields=["effective_to"])
    AllocationQuantity.objects.create(
        allocation=allocation, organization_id=allocation.organization_id, quantity=wanted, effective_from=at
    )
    _audit(allocation, "allocation.resize", account, actor, at, reason, quantity=str(wanted), was=str(current.quantity))
    emit(
        topics.ALLOCATION_RESIZED,
        {"allocation": allocation.public_id, "quantity": str(wanted)},
        at=at,
        account=account,
    )
    reactions.follow("allocation.changed", account=account, at=at)
    return allocation


@transaction.atomic
def request_release(allocation_id: int, *, actor: Actor, reason: str = "", at: datetime) -> Allocation:
    """Ask the platform to take the machine down; it is charged until `complete_release`. Raises WrongStatus."""
    at = check_moment(at)
    allocation, account, _ = _lock(allocation_id)
    if allocation.status == AllocationStatus.RELEASING:
        return allocation
    _expect(allocation, AllocationStatus.ACTIVE)
    allocation.status, allocation.release_requested_at = AllocationStatus.RELEASING, at
    allocation.save(update_fields=["status", "release_requested_at"])
    _audit(allocation, "allocation.request_release", account, actor, at, reason)
    return allocation


@transaction.atomic
def complete_release(
    allocation_id: int, *, completed_at: datetime, actor: Actor, reason: str = "", at: datetime
) -> Allocation:
    """`releasing.completed`: the machine was gone at `completed_at`, and charging ends there.

    Told late, after windows beyond that moment were billed, charging ends with the last of them and the difference
    is credited (topic `quotas.release_reported_late`). Repeating the call with the same moment changes nothing.
    Raises WrongStatus, ReleaseBeforeStart, TimeInvalid (in the future).
    """
    at, completed_at = check_moment(at), check_moment(completed_at, field="completed_at")
    allocation, account, _ = _lock(allocation_id)
    if allocation.status == AllocationStatus.RELEASED and allocation.completed_at == completed_at:
        return allocation
    if allocation.status not in {AllocationStatus.ACTIVE, AllocationStatus.RELEASING} or not allocation.started_at:
        raise WrongStatus(f"a {allocation.status} allocation cannot be released")
    if completed_at < allocation.started_at:
        raise ReleaseBeforeStart("an allocation cannot be released before it started")
    if completed_at > at:
        raise TimeInvalid("a release is reported when it has happened", field="completed_at")
    allocation.status = AllocationStatus.RELEASED
    allocation.release_requested_at = allocation.release_requested_at or completed_at
    allocation.released_at = allocation.completed_at = completed_at
    allocation.save(update_fields=["status", "release_requested_at", "released_at", "completed_at"])
    allocation.refresh_from_db(fields=["released_at"])
    _audit(allocation, "allocation.release", account, actor, at, reason, completed_at=completed_at.isoformat())
    payload = {"allocation": allocation.public_id, "completed_at": completed_at.isoformat()}
    emit(topics.ALLOCATION_RELEASED, payload, at=at, account=account)
    if allocation.released_at > completed_at:
        emit(topics.RELEASE_REPORTED_LATE, {"allocation_id": allocation.pk}, at=at, account=account)
    reactions.follow("allocation.changed", account=account, at=at)
    return allocation


def _payer(project: Project) -> tuple[BillingAccount, BillingAccountBinding]:
    """The account bound now, locked, and its binding; read again under the lock because a rebind may win the race.

    A lost race lets its lock go before the next try: to hold one payer and ask for another, in whatever order, is how
    an act and a rebind dead-lock.
    """
    for _ in range(3):
        try_ = transaction.savepoint()
        bound = BillingAccount.objects.filter(bindings__project=project, bindings__phase=BindingPhase.ACTIVE)
        account = bound.select_for_update(of=("self",), no_key=True).first()
        binding = active_binding(project)
        if account is None or binding is None:
            break
        if binding.billing_account_id == account.pk:
            transaction.savepoint_commit(try_)
            return account, binding
        transaction.savepoint_rollback(try_)
    raise NotBound("the project has no active billing account binding")


def _lock(allocation_id: int) -> tuple[Allocation, BillingAccount, BillingAccountBinding]:
    allocation = Allocation.objects.select_related("project").filter(pk=allocation_id).first()
    if allocation is None:
        raise NotFound("no such allocation", field="allocation")
    account, binding = _payer(allocation.project)
    locked = Allocation.objects.select_for_update(of=("self",), no_key=True).select_related("project", "sku")
    return locked.get(pk=allocation_id), account, binding


def _open(
    project: Project,
    sku: Sku,
    quantity: Decimal,
    *,
    external_id: str,
    at: datetime,
    started_at: datetime | None = None,
) -> Allocation:
    known = "the project has an allocation of that external id"
    twice = Conflict(known, field="external_id", code="external_id_taken")
    own_id = check_external_id(external_id or None) or ""
    with constraints({"allocation_external_id_once_per_project": twice}):
        allocation = Allocation.objects.create(
            organization_id=project.organization_id,
            project=project,
            sku=sku,
            external_id=own_id,
            status=AllocationStatus.ACTIVE if started_at else AllocationStatus.REQUESTED,
            requested_at=at,
            started_at=started_at,
        )
    AllocationQuantity.objects.create(
        allocation=allocation, organization_id=project.organization_id, quantity=quantity, effective_from=at
    )
    return allocation


def _may_start(
    project: Project, sku: Sku, account: BillingAccount, binding: BillingAccountBinding, at: datetime
) -> SkuRate:
    if account.phase != Phase.READY:
        raise AccountNotReady(f"billing account is not ready (current phase: {account.phase})", field="billing_account")
    if enforcement.level(account.pk) == Level.HALTED:
        raise AccountHalted("the account is halted: nothing starts until that is settled")
    if at < binding.established_at:
        raise TimeInvalid("the project was not bound at that moment")
    rate = rate_in_force(sku.pk, account.currency, at)
    if rate is None:
        raise NoRate(f"{sku.code} has no rate in {account.currency} at that moment")
    guards.check("allocation.start", account=account, project=project, sku=sku, at=at)
    return rate


def _tell_start(
    allocation: Allocation, account: BillingAccount, actor: Actor, at: datetime, reason: str, **after: str
) -> None:
    _audit(allocation, "allocation.start", account, actor, at, reason, **after)
    emit(topics.ALLOCATION_STARTED, {"allocation": allocation.public_id}, at=at, account=account)
    reactions.follow("allocation.changed", account=account, at=at)


def _expect(allocation: Allocation, status: AllocationStatus) -> None:
    if allocation.status != status:
        raise WrongStatus(f"the allocation is {allocation.status}, not {status}")


def _audit(
    allocation: Allocation, action: str, account: BillingAccount, actor: Actor, at: datetime, reason: str, **after: str
) -> None:
    """A platform acts without a reason; where people give one, it is a whole one."""
    reason = require_reason(reason) if reason else ""
    subject = ("allocation", allocation.pk)
    record(actor, action, subject=subject, account=account, at=at, reason=reason, after=after or None)
