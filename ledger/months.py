"""Monthly partitions of usage, made ahead and on demand."""

from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Min

from accounts.models import BillingAccount
from ledger.models import AccrualSchedule

_LONGEST_WINDOW = timedelta(days=1)
_AHEAD = timedelta(days=40)
_FURTHEST_CLOCK = timedelta(days=3 * 366)


def ensure_month(day: date) -> None:
    """Make the partition of a day's month where it does not exist; in its own transaction, so its lock is brief."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT ensure_month(%s)", [day])


def ensure_months(at: datetime) -> None:
    """Make every month from the oldest window due to the one after next, before any tick needs it."""
    oldest = AccrualSchedule.objects.aggregate(oldest=Min("due_at"))["oldest"] or at
    # A test clock years ahead fails its own account, which is parked; it must not fail the drain for all.
    furthest = BillingAccount.objects.filter(test_now__lte=at + _FURTHEST_CLOCK).aggregate(furthest=Max("test_now"))
    month = (min(oldest, at) - _LONGEST_WINDOW).date().replace(day=1)
    while month <= (max(furthest["furthest"] or at, at) + _AHEAD).date():
        ensure_month(month)
        month = (month + timedelta(days=32)).replace(day=1)
