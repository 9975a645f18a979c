"""The service-level figures: how late, how many stand still. Pure queries; the moment is an argument."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from accounts.models import ApprovalRequest, ApprovalState, DeliveryState, OutboxDelivery
from ledger.models import AccrualSchedule, VerificationRun


@dataclass(frozen=True)
class OutboxFigures:
    pending: int
    oldest_pending_seconds: float
    dead: int


@dataclass(frozen=True)
class VerificationFigures:
    age_seconds: float
    violations: int


def accrual_lag_seconds(at: datetime) -> float:
    """How long the longest waiting account has been due, else 0; parked accounts and test clocks stand aside."""
    waiting = AccrualSchedule.objects.filter(parked_at=None, due_at__lte=at, billing_account__test_now=None)
    return _age(waiting.aggregate(oldest=Min("due_at"))["oldest"], at)


def parked_accounts() -> int:
    """Accounts whose accrual failed and waits for a person or a retry."""
    return AccrualSchedule.objects.filter(parked_at__isnull=False).count()


def approvals_waiting(at: datetime) -> int:
    """Requests that a second person may still decide."""
    return ApprovalRequest.objects.filter(state=ApprovalState.PENDING, expires_at__gt=at).count()


def outbox_figures(at: datetime) -> OutboxFigures:
    """Deliveries under way, the age of the oldest one's message, and those given up."""
    waiting = Q(state=DeliveryState.PENDING)
    figures = OutboxDelivery.objects.filter(~Q(state=DeliveryState.DELIVERED)).aggregate(
        pending=Count("id", filter=waiting),
        oldest=Min("message__occurred_at", filter=waiting),
        dead=Count("id", filter=Q(state=DeliveryState.DEAD)),
    )
    return OutboxFigures(figures["pending"], _age(figures["oldest"], at), figures["dead"])


def last_verification(at: datetime) -> VerificationFigures | None:
    """The newest run of `verify_books`, or nothing before the first.

    What a full run found stays until a full run finds it mended: an incremental run does not look there.
    """
    newest = VerificationRun.objects.order_by("-started_at", "-pk")
    run, full = newest.first(), newest.filter(full=True).first()
    if run is None:
        return None
    violations = run.violation_count if full is None else max(run.violation_count, full.violation_count)
    return VerificationFigures(_age(run.finished_at, at), violations)


def _age(moment: datetime | None, at: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (at - moment).total_seconds())
