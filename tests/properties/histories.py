"""Histories: what was true of a few allocations and when. Told to the site by its acts, and to rating.py as segments
that are cut here from the facts alone, by looking up what held at each moment.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import pairwise

from accounts.bindings import bind, rebind
from accounts.clock import LATEST
from accounts.currencies import EXPONENTS
from accounts.lifecycle import open_billing_account, open_organization, open_project
from accounts.models import BillingAccount, LegalEntity, Project, User
from ledger.models import Depletion, LowBalanceEpisode, UsageRecord
from ledger.rating import Segment, Tail, due_windows
from quotas.allocations import complete_release, resize, start
from quotas.models import Sku
from quotas.price_book import open_sku, set_rate
from tests.cast import ACTOR, allow_many_accounts
from tests.funding import fund

Facts = tuple[tuple[datetime, Decimal], ...]  # since when, which value; of two at one moment the last one holds
Act = Callable[[datetime], None]
Row = tuple[int, datetime, datetime, int, int]  # account, start and end of a window, cost, waived


@dataclass(frozen=True)
class Held:
    """One allocation: its quantities from the first, which holds from the start, and its release."""

    quantities: Facts
    released_at: datetime | None

    @property
    def started_at(self) -> datetime:
        return self.quantities[0][0]


@dataclass(frozen=True)
class History:
    """Allocations of one project that moves between two accounts; `bindings` name the account by its place."""

    allocations: tuple[Held, ...]
    rates: tuple[Facts, Facts]  # for each account's currency
    bindings: tuple[tuple[datetime, int], ...]
    currencies: tuple[str, str]
    settlements: tuple[str, str]
    time_zone: str
    tails: tuple[tuple[int, datetime, datetime], ...] = ()  # account by its place, from, until; may overlap

    def segments(self, held: Held, account_ids: Sequence[int]) -> list[Segment]:
        """The stretches in which binding, quantity and rate version stay the same, oldest first."""
        cuts = {moment for facts in (held.quantities, *self.rates, self.bindings) for moment, _ in facts}
        last = held.released_at or LATEST
        inside = [held.started_at, *sorted(cut for cut in cuts if held.started_at < cut < last), last]
        begun: list[tuple[tuple[int, int, int], datetime]] = []
        for moment in inside[:-1]:
            version = self._in_force(held, moment)
            if not begun or begun[-1][0] != version:
                begun.append((version, moment))
        bounds = [moment for _, moment in begun] + [last]
        found = [
            self._segment(held, version, starts_at, ends_at, account_ids)
            for (version, _), (starts_at, ends_at) in zip(begun, pairwise(bounds), strict=True)
        ]
        return [segment for segment in found if segment.ends_at is None or segment.starts_at < segment.ends_at]

    def _in_force(self, held: Held, moment: datetime) -> tuple[int, int, int]:
        binding = _last(self.bindings, moment)
        rates = self.rates[self.bindings[binding][1]]
        return binding, _last(held.quantities, moment), _last(rates, moment)

    def _segment(
        self, held: Held, version: tuple[int, int, int], starts_at: datetime, ends_at: datetime, ids: Sequence[int]
    ) -> Segment:
        place = self.bindings[version[0]][1]
        return Segment(
            starts_at=starts_at,
            ends_at=None if ends_at == LATEST else ends_at,
            rate_per_unit_hour=self.rates[place][version[2]][1],
            quantity=held.quantities[version[1]][1],
            exponent=EXPONENTS[self.currencies[place]],
            account_id=ids[place],
        )


def _last(facts: Sequence[tuple[datetime, object]], moment: datetime) -> int:
    return max(place for place, (since, _) in enumerate(facts) if since <= moment)


class Telling:
    """A history told to the site in the order in which it happened, as far as a moment."""

    def __init__(self, history: History, name: str = "properties") -> None:
        self.history = history
        opened_at = history.bindings[0][0]
        entity = LegalEntity.objects.create(
            name=name, country="US", base_currency="USD", time_zone=history.time_zone, created_at=opened_at
        )
        owner = User.objects.create(email=f"owner@{name}.example")
        self.organization = open_organization(name, name, owner=owner, at=opened_at)
        allow_many_accounts(self.organization)
        self.accounts: list[BillingAccount] = [
            open_billing_account(
                self.organization,
                entity,
                f"Account {place}",
                currency=history.currencies[place],
                settlement=history.settlements[place],
                actor=ACTOR,
                at=opened_at,
            )
            for place in (0, 1)
        ]
        for account in self.accounts:
            if account.settlement == "prepaid":
                fund(account, at=opened_at)
        self._outlive(opened_at)
        self.project: Project = open_project(self.organization, "Project", "project", at=opened_at)
        self.sku: Sku = open_sku(name, name, "unit", at=opened_at)
        self.allocation_ids: dict[int, int] = {}
        self._acts = sorted(self._script(), key=lambda act: act[:2])

    @property
    def account_ids(self) -> list[int]:
        return [account.pk for account in self.accounts]

    def tell(self, until: datetime) -> None:
        """Do every act up to and including a moment that was not done yet."""
        while self._acts and self._acts[0][0] <= until:
            at, _, act = self._acts.pop(0)
            act(at)

    def segments(self, place: int) -> list[Segment]:
        return self.history.segments(self.history.allocations[place], self.account_ids)

    def records(self, place: int) -> list[Row]:
        """What the book has of an allocation, oldest first."""
        usage = UsageRecord.objects.filter(allocation_id=self.allocation_ids[place]).order_by("interval_start", "id")
        return list(
            usage.values_list("billing_account_id", "interval_start", "interval_end", "cost_minor", "waived_minor")
        )

    def rule(self, place: int, window_seconds: int, at: datetime, accrued_to: datetime | None = None) -> list[Row]:
        """What rating.py says is due at a moment, from a cursor or from the start."""
        since = accrued_to or self.history.allocations[place].started_at
        windows = due_windows(
            self.segments(place),
            accrued_to=since,
            window_seconds=window_seconds,
            at=at,
            tails=[Tail(self.account_ids[place], *span) for place, *span in self.history.tails],
        )
        return [
            (one.account_id, one.interval_start, one.interval_end, one.cost_minor, one.waived_minor) for one in windows
        ]

    def _outlive(self, opened_at: datetime) -> None:
        """Depletions of the past whose tails are part of the history."""
        for place, begins, ends in self.history.tails:
            episode = LowBalanceEpisode.objects.create(
                billing_account=self.accounts[place],
                opened_at=opened_at,
                balance_minor=0,
                threshold_minor=0,
                closed_at=opened_at,
            )
            Depletion.objects.create(
                billing_account=self.accounts[place],
                episode=episode,
                depleted_at=begins,
                requested_at=ends,
                balance_minor=0,
                tail_from=begins,
                tail_until=ends,
                closed_at=ends,
            )

    def _script(self) -> Iterator[tuple[datetime, int, Act]]:
        """Acts of one moment come in the order of their kind: price, account, start, size, end."""
        history = self.history
        for currency, rates in dict(zip(history.currencies, history.rates, strict=True)).items():
            for since, rate in rates:
                yield since, 0, partial(self._set_rate, currency, rate)
        for since, account in history.bindings:
            yield since, 1, partial(self._bind, self.accounts[account])
        for place, held in enumerate(history.allocations):
            yield held.started_at, 2, partial(self._start, place, held.quantities[0][1])
            for since, quantity in held.quantities[1:]:
                yield since, 3, partial(self._resize, place, quantity)
            if held.released_at is not None:
                yield held.released_at, 4, partial(self._release, place)

    def _set_rate(self, currency: str, rate: Decimal, at: datetime) -> None:
        set_rate(self.sku, currency=currency, rate_per_unit_hour=rate, effective_from=at, actor=ACTOR, at=at)

    def _bind(self, account: BillingAccount, at: datetime) -> None:
        (rebind if self.project.bindings.exists() else bind)(self.project, account, actor=ACTOR, at=at)

    def _start(self, place: int, quantity: Decimal, at: datetime) -> None:
        self.allocation_ids[place] = start(self.project, self.sku, quantity=quantity, actor=ACTOR, at=at).pk

    def _resize(self, place: int, quantity: Decimal, at: datetime) -> None:
        resize(self.allocation_ids[place], quantity=quantity, actor=ACTOR, at=at)

    def _release(self, place: int, at: datetime) -> None:
        complete_release(self.allocation_ids[place], completed_at=at, actor=ACTOR, at=at)
