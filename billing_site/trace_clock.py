"""The clock of a replay, and the platform that stands behind it: it confirms every release that is requested."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from accounts.audit import system
from accounts.models import BillingAccount, Settlement
from billing_site.trace import BEGINNING
from ledger import accrual
from ledger.models import AccrualSchedule, Depletion, ForceRelease, LowBalanceEpisode, UsageRecord
from ledger.rating import window_end
from quotas.allocations import complete_release

ACTOR = system("replay")


@dataclass
class Tally:
    """What a replay did; amounts in minor units. `depleted` counts accounts, `depletions` their falls."""

    allocations: int = 0
    skipped: int = 0
    refused: int = 0
    released: int = 0
    forced: int = 0
    windows: int = 0
    entries: int = 0
    total_minor: int = 0
    waived_minor: int = 0
    warnings: int = 0
    depleted: int = 0
    depletions: int = 0


class Clock:
    """Postpaid accounts are ticked where an event passed a grid point; prepaid ones whenever something is due.

    With a delay every tick comes that much later than it was due, as after an outage.
    """

    def __init__(
        self, accounts: list[BillingAccount], *, window_seconds: int, delay_seconds: int, tally: Tally
    ) -> None:
        self._ids = [account.pk for account in accounts]
        self._prompt = accounts[0].settlement == Settlement.PREPAID
        self._window_seconds, self._delay = window_seconds, timedelta(seconds=delay_seconds)
        self._tally, self._now, self._due, self._confirmed = tally, BEGINNING, BEGINNING, 0

    def advance(self, moment: datetime) -> None:
        """Let time pass up to a moment, ticks and forced releases included."""
        if self._prompt:
            while (ring := self._next_ring()) and ring <= moment:
                self._tick(ring)
        elif moment >= self._due:
            self._tick(moment)
            self._due = window_end(moment, self._window_seconds) + self._delay
        self._now = moment

    def finish(self) -> None:
        """One window and a moment past the last event, everything that ran is billed."""
        end = window_end(self._now, self._window_seconds) + timedelta(seconds=self._window_seconds) + self._delay
        self.advance(end)
        self._tick(end)
        usage = UsageRecord.objects.filter(billing_account_id__in=self._ids)
        self._tally.waived_minor = sum(usage.exclude(waived_minor=0).values_list("waived_minor", flat=True))
        depletions = Depletion.objects.filter(billing_account_id__in=self._ids)
        self._tally.depletions = depletions.count()
        self._tally.depleted = depletions.values("billing_account").distinct().count()
        self._tally.warnings = LowBalanceEpisode.objects.filter(billing_account_id__in=self._ids).count()

    def _next_ring(self) -> datetime | None:
        schedules = AccrualSchedule.objects.filter(billing_account_id__in=self._ids, parked_at=None)
        due = schedules.aggregate(due=Min("due_at"))["due"]
        return max(due + self._delay, self._now) if due else None

    def _tick(self, moment: datetime) -> None:
        self._now = moment
        BillingAccount.objects.filter(pk__in=self._ids).update(test_now=moment)
        done = accrual.drain(moment, only=self._ids, wait=True)
        self._tally.windows += done.windows
        self._tally.entries += done.entries
        self._tally.total_minor += done.total_minor
        self._confirm(moment)

    def _confirm(self, moment: datetime) -> None:
        """The platform takes down at once what it is asked to release."""
        asked = ForceRelease.objects.filter(billing_account_id__in=self._ids, pk__gt=self._confirmed).order_by("pk")
        for request in asked:
            complete_release(request.allocation_id, completed_at=moment, actor=ACTOR, at=moment)
            self._confirmed = request.pk
            self._tally.forced += 1
