"""Many parked accounts tried again at once, after one thing was mended for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Min, QuerySet

from accounts.audit import Actor, require_reason
from accounts.clock import check_moment
from accounts.models import BillingAccount
from ledger import parking
from ledger.models import AccrualSchedule

MOST = 500


@dataclass(frozen=True)
class ParkedGroup:
    """Accounts parked for the same reason code."""

    code: str
    accounts: int
    since: datetime


@dataclass(frozen=True)
class Retried:
    """`held` accounts were left alone, because another act holds them; `left` are more than one act takes."""

    account_ids: list[int]
    held: int
    left: int


def parked_groups(*, most: int = 20) -> list[ParkedGroup]:
    """The reasons why accounts are parked, the most frequent first."""
    rows = _parked("").values("park_code").annotate(accounts=Count("pk"), since=Min("parked_at"))
    return [ParkedGroup(row["park_code"], row["accounts"], row["since"]) for row in rows.order_by("-accounts")[:most]]


@transaction.atomic
def retry_parked(*, code: str = "", actor: Actor, reason: str, at: datetime) -> Retried:
    """End the pause of every parked account, or of those of one reason code; each has its audit row.

    The first MOST by id, locked in that order. The tick tries them, not this act. Raises NotParked, ReasonRequired,
    TimeInvalid.
    """
    at, reason = check_moment(at), require_reason(reason)
    wanted = _parked(code).order_by("pk").values_list("pk", flat=True)
    first: Sequence[int] = list(wanted[:MOST])
    if not first:
        raise parking.NotParked(
            "no account is parked for this reason" if code else "no account is parked", field="code"
        )
    free = BillingAccount.objects.filter(pk__in=first).order_by("pk")
    locked = list(free.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
    still = list(wanted.filter(pk__in=locked))
    for account_id in still:
        parking.retry(account_id, actor=actor, reason=reason, at=at)
    return Retried(still, len(first) - len(locked), wanted.count() - len(first))


def _parked(code: str) -> QuerySet[AccrualSchedule]:
    parked = AccrualSchedule.objects.filter(parked_at__isnull=False)
    return parked.filter(park_code=code) if code else parked
