"""The service-level figures: how late, how many stand still. Pure queries; the moment is an argument."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, Min, Q

from accounts.models import ApprovalRequest, ApprovalState, BillingAccount, DeliveryState, OutboxDelivery
from ledger.models import AccrualSchedule, VerificationRun
from quotas.models import CatalogRefusal, LimitsDue, Subscription

_STANDING = """
SELECT
    (SELECT s.due_at FROM accrual_schedules s JOIN billing_accounts b ON b.id = s.billing_account_id
     WHERE s.parked_at IS NULL AND s.due_at <= %(at)s AND b.test_now IS NULL ORDER BY s.due_at LIMIT 1),
    (SELECT count(*) FROM accrual_schedules WHERE parked_at IS NOT NULL),
    (SELECT count(*) FROM balance_states WHERE state IN ('low_balance', 'auto_release_pending')),
    (SELECT count(*) FROM balance_states WHERE state = 'auto_release_pending'),
    (SELECT count(*) FROM balance_states WHERE state = 'depleted')
"""


@dataclass(frozen=True)
class StandingFigures:
    """Accounts by how they stand. `low` counts all that are warned, those about to be used up among them."""

    lag_seconds: float
    parked: int
    low: int
    pending: int
    depleted: int


@dataclass(frozen=True)
class PlanFigures:
    limits_due_seconds: float
    subscriptions_due_seconds: float


@dataclass(frozen=True)
class OutboxFigures:
    pending: int
    oldest_pending_seconds: float
    dead: int


@dataclass(frozen=True)
class VerificationFigures:
    age_seconds: float
    violations: int


def standing(at: datetime) -> StandingFigures:
    """How late accrual is and how accounts stand, in one query over what is out of the ordinary."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"at": at})
        oldest, parked, low, pending, depleted = cursor.fetchone()
    return StandingFigures(_age(oldest, at), parked, low, pending, depleted)


def plans(at: datetime) -> PlanFigures:
    """How long the longest waiting limits and subscriptions are due; those on a test clock are not looked at."""
    waiting = LimitsDue.objects.aggregate(since=Min("since"))["since"]
    free = Subscription.objects.filter(billing_account__test_now=None, due_at__lte=at)
    return PlanFigures(_age(waiting, at), _age(free.aggregate(since=Min("due_at"))["since"], at))


def clock_is_advanced() -> bool:
    """Whether any account lives by a test clock."""
    return BillingAccount.objects.filter(test_now__isnull=False).exists()


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
    ends = Q(pk=newest.values("pk")[:1]) | Q(pk=newest.filter(full=True).values("pk")[:1])
    runs = list(newest.filter(ends))
    if not runs:
        return None
    violations = max(run.violation_count for run in runs)
    return VerificationFigures(_age(runs[0].finished_at, at), violations)


def refused_catalogs() -> list[str]:
    """The sources whose newest catalog was refused, oldest alarm first."""
    refusals = CatalogRefusal.objects.filter(resolved_at=None).order_by("refused_at", "pk")
    return list(refusals.values_list("source", flat=True))


def _age(moment: datetime | None, at: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (at - moment).total_seconds())
