"""A small estate with everything that cuts a window, and the audit of what was billed against the pure rule."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from accounts.bindings import bind
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import BillingAccount
from ledger.verification import verify
from quotas.allocations import start
from quotas.price_book import open_sku, set_rate
from tests.cast import ACTOR, BEGINNING
from tests.properties.histories import Facts, Held, History, Telling

EVENING = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)  # two hours before a month ends
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
WIDTH = 60


def held(*sizes: tuple[float, str], until: float | None = None, since: datetime = EVENING) -> Held:
    """Quantities by the minutes after a moment."""
    facts = tuple((since + minutes * MINUTE, Decimal(quantity)) for minutes, quantity in sizes)
    return Held(facts, None if until is None else since + until * MINUTE)


def priced(first: str, *changes: tuple[float, str]) -> Facts:
    later = ((EVENING + minutes * MINUTE, Decimal(rate)) for minutes, rate in changes)
    return ((BEGINNING, Decimal(first)), *later)


def told(allocations: Sequence[Held], *, name: str, moves: Sequence[float] = (), rates: Facts | None = None) -> Telling:
    """A project whose account changes at some minutes after the evening began; everything is told at once."""
    prices = rates or priced("2.50")
    history = History(
        allocations=tuple(allocations),
        rates=(prices, priced("310.4", (31.7, "299.99"))),
        bindings=((BEGINNING, 0), *((EVENING + move * MINUTE, (n + 1) % 2) for n, move in enumerate(moves))),
        currencies=("USD", "JPY"),
        settlements=("prepaid", "postpaid"),
        time_zone="America/New_York",
    )
    telling = Telling(history, name)
    telling.tell(EVENING + timedelta(days=60))
    return telling


def busy_evening() -> list[Telling]:
    """Starts inside a second, resizes (two in one instant), price changes, moves and releases, before and after
    midnight."""
    return [
        told([held((0, "1")), held((3.001, "0.5"), (17.5, "3"), (17.5, "2"), (140, "0.125"))], name="plain"),
        told(
            [held((0.3, "8"), (61.25, "7.999999")), held((5, "1"), until=47.35), held((118.2, "4"), until=121.9)],
            name="priced",
            rates=priced("1.99", (12.25, "2.01"), (125, "1.5"), (125.5, "0")),
        ),
        told([held((0.00001, "2.5")), held((33, "1"), (44.4, "9"))], name="moving", moves=(20.5, 75, 119.75)),
    ]


@dataclass
class Audit:
    """Windows that the rule knows and the book lacks, and windows the book has twice or by another reckoning."""

    windows: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0

    @property
    def clean(self) -> bool:
        return (self.lost, self.doubled, self.wrong) == (0, 0, 0)


def audit(tellings: Sequence[Telling], at: datetime, *, rung_at: datetime | None = None, width: int = WIDTH) -> Audit:
    """Compare the book with the rule at `at`; what came due up to a later ring may be there too."""
    found = Audit()
    for telling in tellings:
        for place in telling.allocation_ids:
            due, known = (telling.rule(place, width, moment) for moment in (at, rung_at or at))
            rows = telling.records(place)
            found.windows += len(rows)
            found.lost += len(set(due) - set(rows))
            found.doubled += sum(times - 1 for times in Counter(row[1] for row in rows).values())
            found.wrong += len(set(rows) - set(known))
    return found


def require_sound_books() -> None:
    """Every rule of verify_books, over everything."""
    run = verify(EVENING, full=True)
    assert run.violations == []


def poison(telling: Telling, number: int, at: datetime) -> BillingAccount:
    """An account whose usage costs more than any entry may hold: its batch fails and is halved down to it."""
    organization, entity = telling.organization, telling.accounts[0].legal_entity
    account = open_billing_account(
        organization, entity, f"Poison {number}", currency="USD", settlement="postpaid", actor=ACTOR, at=BEGINNING
    )
    project = open_project(organization, f"Poison {number}", f"poison-{number}", at=BEGINNING)
    bind(project, account, actor=ACTOR, at=BEGINNING)
    sku = open_sku(f"poison-{number}", "Poison", "unit", at=BEGINNING)
    set_rate(sku, currency="USD", rate_per_unit_hour="9999999999", effective_from=BEGINNING, actor=ACTOR, at=BEGINNING)
    start(project, sku, quantity="999999999999", actor=ACTOR, at=at)
    return account
