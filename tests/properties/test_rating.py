"""The rule of rating.py against its plain statement, and accrual.sql against rating.py, over random histories."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from accounts import policy
from accounts.clock import LATEST
from ledger import accrual, rating
from ledger.balances import balance
from ledger.models import AccrualCursor, AccrualSchedule, LedgerEntry
from ledger.rating import EPOCH, Segment, Window, cost_until, due_windows, window_end
from tests.cast import ACTOR, BEGINNING
from tests.funding import PLENTY
from tests.properties.histories import Facts, Held, History, Row, Telling

MONTH_END = datetime(2026, 4, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CURRENCIES = ("USD", "JPY", "KWD", "CLF")  # 2, 0, 3 and 4 decimals
ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
# Widths that divide a day and widths that do not, so that a window may lie across the end of a month.
WIDTHS = st.one_of(st.sampled_from([1, 7, 60, 3600, 50_000, 86_399, 86_400]), st.integers(1, 86_400))
GRID_POINTS = 24

reproducible = settings(derandomize=True, deadline=None, print_blob=True)
rates = st.decimals(0, 1000, places=10)
quantities = st.decimals("0.000001", 1000, places=6)
exponents = st.sampled_from([0, 2, 3, 4])


@st.composite
def segments(draw: DrawFn) -> Segment:
    starts_at = BEGINNING + draw(st.integers(0, 10**13)) * MICROSECOND
    return Segment(starts_at, None, draw(rates), draw(quantities), draw(exponents), account_id=1)


durations = st.integers(0, 10**12).map(lambda micros: micros * MICROSECOND)


def exact(segment: Segment, moment: datetime) -> Fraction:
    """Minor units, unrounded."""
    hours = Fraction((moment - segment.starts_at) // MICROSECOND, 3_600_000_000)
    return Fraction(segment.rate_per_unit_hour) * Fraction(segment.quantity) * hours * Fraction(10**segment.exponent)


@reproducible
@given(segments(), durations)
def test_a_cost_is_the_nearest_whole_minor_unit_and_a_half_goes_up(segment: Segment, duration: timedelta) -> None:
    moment = segment.starts_at + duration
    assert -Fraction(1, 2) < cost_until(segment, moment) - exact(segment, moment) <= Fraction(1, 2)


@reproducible
@given(st.integers(0, 10**6), exponents)
def test_exact_halves_go_up(whole: int, exponent: int) -> None:
    rate = Decimal(2 * whole + 1) / 2 / 10**exponent
    segment = Segment(BEGINNING, None, rate, Decimal(1), exponent, account_id=1)
    assert cost_until(segment, BEGINNING + timedelta(hours=1)) == whole + 1


@reproducible
@given(segments(), st.lists(durations, min_size=2, max_size=20))
def test_costs_rise_with_time_and_pieces_add_up_to_the_whole(segment: Segment, parts: list[timedelta]) -> None:
    moments = [segment.starts_at + part for part in sorted(parts)]
    pieces = [cost_until(segment, b) - cost_until(segment, a) for a, b in pairwise(moments)]
    assert min(pieces) >= 0
    assert sum(pieces) == cost_until(segment, moments[-1]) - cost_until(segment, moments[0])
    assert cost_until(segment, segment.starts_at) == 0


@reproducible
@given(segments(), durations, quantities)
def test_costs_rise_with_the_quantity(segment: Segment, duration: timedelta, more: Decimal) -> None:
    larger = Segment(
        segment.starts_at, None, segment.rate_per_unit_hour, segment.quantity + more, segment.exponent, account_id=1
    )
    moment = segment.starts_at + duration
    assert cost_until(larger, moment) >= cost_until(segment, moment)


@reproducible
@given(durations, WIDTHS)
def test_a_window_ends_at_the_next_grid_point_or_the_end_of_the_month(duration: timedelta, width: int) -> None:
    moment = BEGINNING + duration
    end = window_end(moment, width)
    on_grid = (end - EPOCH) % timedelta(seconds=width) == timedelta()
    on_month = (end.day, end.timetz()) == (1, datetime.min.replace(tzinfo=UTC).timetz())
    assert moment < end <= moment + timedelta(seconds=width)
    assert on_grid or on_month
    next_grid_point = (moment.timestamp() // width + 1) * width
    assert end.timestamp() == next_grid_point or (on_month and end.timestamp() < next_grid_point)
    assert (end - MICROSECOND).month == moment.month


@reproducible
@given(segments(), st.integers(1, 2000), st.integers(0, 10**10), st.lists(st.integers(0, 10**10), max_size=4))
def test_the_windows_of_an_allocation_meet_and_cost_the_whole_whenever_it_is_billed(
    segment: Segment, width: int, life: int, drains: list[int]
) -> None:
    ends_at = segment.starts_at + (life + 1) * MICROSECOND
    whole = Segment(
        segment.starts_at, ends_at, segment.rate_per_unit_hour, segment.quantity, segment.exponent, account_id=1
    )
    billed: list[Window] = []
    accrued_to = segment.starts_at
    for drain in [*sorted(drains), 10**10 + 1]:
        at = segment.starts_at + drain * MICROSECOND
        billed += due_windows([whole], accrued_to=accrued_to, window_seconds=width, at=at)
        accrued_to = billed[-1].interval_end if billed else accrued_to
        assert accrued_to <= max(at, segment.starts_at)
    starts = [window.interval_start for window in billed]
    ends = [window.interval_end for window in billed]
    assert starts == [segment.starts_at, *ends[:-1]]
    assert ends[-1] == ends_at
    assert sum(window.cost_minor for window in billed) == cost_until(segment, ends_at)


@dataclass(frozen=True)
class Plan:
    """A history, and when and how it is billed: a moment with the width then in force, in batches of some windows.

    `woken`: accounts are looked at until nothing is due, whatever their schedule says; else they are looked at when it
    says so, and are not behind the last grid point. `foretold`: every act is told before the first drain.
    """

    history: History
    drains: tuple[tuple[datetime, int], ...]
    maximum_windows: int
    woken: bool
    foretold: bool


@st.composite
def plans(draw: DrawFn) -> Plan:
    width = draw(WIDTHS)
    span = GRID_POINTS * width * 1_000_000
    origin = MONTH_END - draw(st.integers(0, GRID_POINTS)) * timedelta(seconds=width)
    moments: SearchStrategy[datetime] = st.one_of(
        st.integers(0, span).map(lambda micros: origin + micros * MICROSECOND),
        st.integers(0, GRID_POINTS).map(lambda point: origin + point * timedelta(seconds=width)),
        st.just(MONTH_END),
    )
    currencies = (draw(st.sampled_from(CURRENCIES)), draw(st.sampled_from(CURRENCIES)))
    first, second = draw(_priced(moments)), draw(_priced(moments))
    history = History(
        allocations=tuple(draw(st.lists(_held(moments), min_size=1, max_size=3))),
        rates=(first, first if currencies[0] == currencies[1] else second),
        bindings=draw(_bound(moments)),
        currencies=currencies,
        settlements=(draw(st.sampled_from(["prepaid", "postpaid"])), draw(st.sampled_from(["prepaid", "postpaid"]))),
        time_zone=draw(st.sampled_from(ZONES)),
        tails=draw(_tails(moments)),
    )
    other_widths = st.one_of(st.just(width), st.integers(max(1, width // 4), min(86_400, 4 * width)))
    last = origin + 1.5 * timedelta(microseconds=span)
    drains = [(moment, draw(other_widths)) for moment in sorted(draw(st.lists(moments, max_size=4)))]
    return Plan(
        history,
        drains=(*drains, (last, width)),
        maximum_windows=draw(st.sampled_from([15, 20_000])),
        woken=draw(st.booleans()),
        foretold=draw(st.booleans()),
    )


def _priced(moments: SearchStrategy[datetime]) -> SearchStrategy[Facts]:
    changes = st.lists(st.tuples(moments, rates), max_size=2, unique_by=lambda change: change[0])
    return st.tuples(rates, changes).map(lambda drawn: ((BEGINNING, drawn[0]), *sorted(drawn[1])))


def _bound(moments: SearchStrategy[datetime]) -> SearchStrategy[tuple[tuple[datetime, int], ...]]:
    places = st.tuples(st.integers(0, 1), st.lists(moments, max_size=3).map(sorted))
    return places.map(
        lambda drawn: tuple((since, (drawn[0] + n) % 2) for n, since in enumerate([BEGINNING, *drawn[1]]))
    )


def _tails(moments: SearchStrategy[datetime]) -> SearchStrategy[tuple[tuple[int, datetime, datetime], ...]]:
    spans = st.tuples(st.integers(0, 1), moments, moments).filter(lambda drawn: drawn[1] < drawn[2])
    return st.one_of(st.just(()), st.lists(spans, min_size=1, max_size=3).map(tuple))


@st.composite
def _held(draw: DrawFn, moments: SearchStrategy[datetime]) -> Held:
    started_at, *resized_at = sorted(draw(st.lists(moments, min_size=1, max_size=4)))
    if resized_at and draw(st.booleans()):
        resized_at.append(resized_at[-1])  # two in one instant
    released_at = draw(st.none() | moments.map(lambda moment: max([started_at, *resized_at, moment])))
    return Held(tuple((since, draw(quantities)) for since in (started_at, *resized_at)), released_at)


def holds(plan: Plan) -> None:
    """Bill a history drain by drain: each writes what rating.py says is due, and the books agree with the usage."""
    telling = Telling(plan.history)
    if plan.foretold:
        telling.tell(LATEST)
    for at, width in plan.drains:
        telling.tell(at)
        set_width(telling, width, at)
        before = {place: len(telling.records(place)) for place in telling.allocation_ids}
        rule = {place: _by_the_rule(telling, place, width, at) for place in telling.allocation_ids}
        whatever_the_schedule = plan.woken or (at, width) == plan.drains[-1]
        _bill(at, plan.maximum_windows, whatever_the_schedule)
        for place, due in rule.items():
            written = telling.records(place)[before[place] :]
            assert written == due[: len(written)]
            if whatever_the_schedule:
                assert written == due
            else:
                assert [row for row in due[len(written) :] if row[2] <= _last_grid_point(at, width)] == []
    _books_agree(telling)


def set_width(telling: Telling, width: int, at: datetime) -> None:
    tenant = telling.organization.pk
    policy.set_value(
        "billing.window_seconds", width, scope="tenant", scope_id=tenant, actor=ACTOR, reason="test", at=at
    )


def _bill(at: datetime, maximum_windows: int, whatever_the_schedule: bool) -> None:
    tally = accrual.drain(at, maximum_windows=maximum_windows)
    while whatever_the_schedule and tally.windows:
        AccrualSchedule.objects.filter(due_at__gt=at).update(due_at=at)
        tally = accrual.drain(at, maximum_windows=maximum_windows)


def _by_the_rule(telling: Telling, place: int, width: int, at: datetime) -> list[Row]:
    cursor = AccrualCursor.objects.get(allocation_id=telling.allocation_ids[place])
    return telling.rule(place, width, at, cursor.accrued_to)


def _last_grid_point(at: datetime, width: int) -> datetime:
    return EPOCH + (at - EPOCH) // timedelta(seconds=width) * timedelta(seconds=width)


def _books_agree(telling: Telling) -> None:
    usage = [record for place in telling.allocation_ids for record in telling.records(place)]
    for account in telling.accounts:
        costs = [cost for account_id, _, _, cost, _ in usage if account_id == account.pk]
        funded = PLENTY if account.settlement == "prepaid" else 0
        assert balance(account).amount_minor == funded - sum(costs)
        debits = LedgerEntry.objects.filter(billing_account=account, account_seq__isnull=False, reason="usage")
        assert sorted(-amount for amount in debits.values_list("amount_minor", flat=True)) == sorted(
            filter(None, costs)
        )


def _undone(plan: Plan) -> None:
    with transaction.atomic():
        holds(plan)
        transaction.set_rollback(True)


@pytest.mark.long
@pytest.mark.django_db
@settings(reproducible, max_examples=60, suppress_health_check=list(HealthCheck))
@given(plans())
def test_the_tick_in_sql_bills_what_the_rule_in_python_says(plan: Plan) -> None:
    _undone(plan)


def _rounding_down(segment: Segment, moment: datetime) -> int:
    return int(exact(segment, moment))


def _to_the_grid_only(moment: datetime, window_seconds: int) -> datetime:
    width = timedelta(seconds=window_seconds)
    return EPOCH + ((moment - EPOCH) // width + 1) * width


def _a_width_from_the_start(moment: datetime, window_seconds: int) -> datetime:
    return moment + timedelta(seconds=window_seconds)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("cost_until", _rounding_down),
        ("window_end", _to_the_grid_only),
        ("window_end", _a_width_from_the_start),
    ],
)
def test_a_rule_that_differs_is_found(monkeypatch: pytest.MonkeyPatch, name: str, wrong: Callable[..., object]) -> None:
    monkeypatch.setattr(rating, name, wrong)
    once = settings(reproducible, max_examples=120, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    with pytest.raises(AssertionError):
        once(given(plans())(_undone))()
