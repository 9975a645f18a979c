"""Parking: an account whose tick fails steps aside with its reason, is tried again after growing pauses, and shown."""

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from accounts.audit import Actor, record, require_reason, system
from accounts.clock import check_moment
from accounts.conditions import set_condition
from accounts.errors import Conflict, DomainError
from accounts.locking import lock_account
from accounts.models import ConditionStatus
from accounts.outbox import emit
from ledger import topics
from ledger.models import AccrualSchedule

log = structlog.get_logger(__name__)

CONDITION = "AccrualHealthy"
_PAUSES_SECONDS = (60, 300, 1800, 7200, 21600)


class NotParked(Conflict):
    code = "not_parked"
    field = "billing_account"


@transaction.atomic
def park(account_id: int, error: Exception, *, at: datetime) -> None:
    """Set the account aside with the error's code and text; the first failure is audited and told."""
    account = lock_account(account_id)
    schedule = AccrualSchedule.objects.get(billing_account_id=account_id)
    first = schedule.parked_at is None
    schedule.park_code, schedule.park_reason = code_of(error), str(error).strip()[:2000]
    schedule.parked_at = schedule.parked_at or at
    schedule.failures += 1
    schedule.retry_at = at + timedelta(seconds=_PAUSES_SECONDS[min(schedule.failures, len(_PAUSES_SECONDS)) - 1])
    schedule.save()
    log.warning("account_parked", account=account.public_id, code=schedule.park_code, failures=schedule.failures)
    message = f"{schedule.park_code}: {schedule.park_reason}"
    set_condition(account_id, CONDITION, status=ConditionStatus.FALSE, reason="Parked", message=message, at=at)
    if first:
        record(
            system("accrual"),
            "accrual.park",
            subject=("billing_account", account_id),
            account=account,
            at=at,
            reason=message,
        )
        emit(
            topics.ACCOUNT_PARKED,
            {"account": account.public_id, "code": schedule.park_code, "reason": schedule.park_reason[:500]},
            at=at,
            account=account,
        )


def unpark(account_ids: Collection[int], *, at: datetime) -> None:
    """Say of accounts that were parked and are billed again that all is well; the tick cleared their schedule."""
    from_parking = (
        AccrualSchedule.objects.select_related("billing_account")
        .filter(billing_account_id__in=account_ids, billing_account__conditions__type=CONDITION)
        .filter(billing_account__conditions__status=ConditionStatus.FALSE)
    )
    for schedule in from_parking:
        account = schedule.billing_account
        set_condition(account.pk, CONDITION, status=ConditionStatus.TRUE, reason="Billing", at=at)
        record(
            system("accrual"),
            "accrual.unpark",
            subject=("billing_account", account.pk),
            account=account,
            at=at,
        )
        emit(topics.ACCOUNT_UNPARKED, {"account": account.public_id}, at=at, account=account)


@transaction.atomic
def retry(account_id: int, *, actor: Actor, reason: str, at: datetime) -> AccrualSchedule:
    """End the pause of a parked account: the next ring tries it, once; where it fails, the pauses go on growing.

    The trial itself is the tick's, never the request's. Raises NotFound, NotParked, ReasonRequired, TimeInvalid.
    """
    at, reason = check_moment(at), require_reason(reason)
    account = lock_account(account_id)
    schedule = AccrualSchedule.objects.filter(billing_account=account, parked_at__isnull=False).first()
    if schedule is None:
        raise NotParked("the account is not parked")
    before, schedule.retry_at = schedule.retry_at, at
    schedule.save(update_fields=["retry_at"])
    record(
        actor,
        "accrual.retry",
        subject=("billing_account", account_id),
        account=account,
        at=at,
        reason=reason,
        before={"retry_at": before.isoformat() if before else None, "failures": schedule.failures},
        after={"retry_at": at.isoformat()},
    )
    return schedule


def due_for_retry(at: datetime, only: Collection[int] | None = None) -> list[int]:
    """Parked accounts whose pause is over, oldest first."""
    due = AccrualSchedule.objects.filter(retry_at__lte=at).order_by("retry_at")
    if only is not None:
        due = due.filter(billing_account_id__in=only)
    return list(due.values_list("billing_account_id", flat=True))


def code_of(error: Exception) -> str:
    """A stable code: the domain error's own, the violated constraint's name, or the database's SQLSTATE."""
    if isinstance(error, DomainError):
        return error.code
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or getattr(diagnostics, "sqlstate", None) or "error"
