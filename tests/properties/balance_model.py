"""What becomes of a prepaid balance, reckoned anew in plain Python from the rules of docs/postings.md.

Nothing here knows the site: it has its own reckoning of cost, burn, state, episodes and depletions. Usage is billed by
the minute, acts come on whole minutes, and the tail of an outage is billed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

MINUTE = timedelta(minutes=1)
HEALTHY, LOW, PENDING, DEPLETED = "healthy", "low_balance", "auto_release_pending", "depleted"
WARNING, ADVISORY = "billing.low_balance_warning", "billing.auto_release_pending"
DEPLETION, RELEASE = "billing.balance_depleted", "provisioning.force_release_requested"


@dataclass
class Machine:
    """Sizes are (since, quantity); it is billed up to `paid_until`."""

    sizes: list[tuple[datetime, Fraction]]
    paid_until: datetime
    gone: datetime | None = None

    def cost(self, rate: Fraction, begins: datetime) -> int:
        """Of the minute that begins there."""
        since, quantity = [size for size in self.sizes if size[0] <= begins][-1]
        ends = [(moment - since) / timedelta(hours=1) for moment in (begins, begins + MINUTE)]
        before, after = (
            int(rate * quantity * Fraction(hours).limit_denominator(3600) + Fraction(1, 2)) for hours in ends
        )
        return after - before


@dataclass
class Episode:
    opened_at: datetime
    advised_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass
class Fall:
    depleted_at: datetime
    requested_at: datetime
    machines: list[int]
    closed_at: datetime | None = None


@dataclass
class Model:
    rate: Fraction  # minor units an hour
    balance: int | None = None
    threshold: int = 500
    horizon: int = 3600
    state: str = HEALTHY
    machines: list[Machine] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    falls: list[Fall] = field(default_factory=list)

    @property
    def level(self) -> str:
        return {HEALTHY: "full", DEPLETED: "halted"}.get(self.state, "warn")

    @property
    def running(self) -> list[int]:
        return [place for place, machine in enumerate(self.machines) if machine.gone is None]

    def move(self, amount: int, at: datetime) -> None:
        """Money in or out."""
        self.balance = (self.balance or 0) + amount
        self.judge(at)

    def tick(self, at: datetime) -> None:
        """The minutes up to `at`, by their end; what crosses zero on the way is found there."""
        due = sorted(self._due(at))
        while due:
            minute, crossed = due[0][0], False
            while due and due[0][0] == minute:
                _, place = due.pop(0)
                machine = self.machines[place]
                cost = machine.cost(self.rate, minute - MINUTE)
                machine.paid_until = minute
                if cost:
                    self.balance = (self.balance or 0) - cost
                    crossed = crossed or self.balance <= 0
            if crossed and self.state != DEPLETED:
                self.judge(at, fell_at=minute)
        self.judge(at)

    def _due(self, at: datetime) -> list[tuple[datetime, int]]:
        found = []
        for place, machine in enumerate(self.machines):
            moment = machine.paid_until + MINUTE
            while moment <= min(at, machine.gone or at):
                found.append((moment, place))
                moment += MINUTE
        return found

    def judge(self, at: datetime, fell_at: datetime | None = None) -> None:
        before, self.state = self.state, self._verdict()
        if before == self.state:
            return
        if before == HEALTHY:
            self.episodes.append(Episode(at))
            self.told.append(WARNING)
        if (before, self.state) == (HEALTHY, DEPLETED):
            self.steps += [(HEALTHY, LOW), (LOW, DEPLETED)]
        else:
            self.steps.append((before, self.state))
        if before == DEPLETED:
            self.falls[-1].closed_at = at
        if self.state == PENDING and self.episodes[-1].advised_at is None:
            self.episodes[-1].advised_at = at
            self.told.append(ADVISORY)
        if self.state == DEPLETED:
            self.falls.append(Fall(fell_at or at, at, self.running))
            self.told += [DEPLETION] + [RELEASE] * len(self.running)
        if self.state == HEALTHY:
            self.episodes[-1].closed_at = at

    def _verdict(self) -> str:
        if self.balance is None:
            return HEALTHY
        burn = sum((self.machines[place].sizes[-1][1] for place in self.running), Fraction(0)) * self.rate
        if self.balance <= 0:
            return DEPLETED
        if burn and self.balance <= burn * self.horizon / 3600:
            return PENDING
        return LOW if self.balance <= self.threshold else HEALTHY
