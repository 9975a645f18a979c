"""The tick beside resizes, releases and moves: every window exactly once, each part charged to whoever was bound."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta

from accounts import outbox_relay
from accounts.bindings import rebind
from accounts.currencies import exponent
from accounts.errors import Conflict
from billing_site.grants import tables
from ledger import accrual, verification
from ledger.balances import balance
from ledger.models import LedgerEntry, UsageRecord
from ledger.months import ensure_month
from ledger.rating import Segment, cost_until
from quotas.allocations import complete_release, resize, start
from quotas.models import Allocation
from quotas.price_book import set_rate
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race
from tests.funding import PLENTY, fund

MINUTE = timedelta(minutes=1)
MINUTES = 12


def each_minute(act: Callable[[datetime], object]) -> Counter[str]:
    """Do an act at every minute; how often it was done, and how often it came too late."""
    done: Counter[str] = Counter()
    for minute in range(1, MINUTES + 1):
        try:
            act(NOON + minute * MINUTE)
            done["done"] += 1
        except Conflict as refused:
            done[refused.code] += 1
    return done


def windows(allocation: Allocation) -> list[UsageRecord]:
    records = UsageRecord.objects.filter(allocation=allocation).select_related("sku_rate", "billing_account")
    return list(records.order_by("interval_start"))


def assert_every_window_once_and_exact(allocation: Allocation, end: datetime) -> None:
    records = windows(allocation)
    edges = [NOON, *(record.interval_end for record in records)]
    assert [record.interval_start for record in records] == edges[:-1]
    assert edges[-1] == end
    segments: defaultdict[Segment, list[UsageRecord]] = defaultdict(list)
    for record in records:
        segment = Segment(
            record.segment_start,
            None,
            record.sku_rate.rate_per_unit_hour,
            record.quantity,
            exponent(record.billing_account.currency),
            record.billing_account_id,
        )
        segments[segment].append(record)
    for segment, parts in segments.items():
        assert parts[0].interval_start == segment.starts_at
        assert sum(part.cost_minor for part in parts) == cost_until(segment, parts[-1].interval_end)


def test_ticks_beside_resizes_releases_moves_and_new_rates(committed_db: str, cast: Cast) -> None:
    fund(cast.prepaid)
    resized, released, plain = (start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON) for _ in range(3))
    targets = [cast.postpaid, cast.prepaid]

    def move(at: datetime) -> object:
        return rebind(cast.project, targets[at.minute % 2], actor=ACTOR, at=at)

    def price(at: datetime) -> object:
        rate = f"2.{at.minute:02}"
        return set_rate(cast.gpu, currency="USD", rate_per_unit_hour=rate, effective_from=at, actor=ACTOR, at=at)

    def release() -> object:
        gone = NOON + 5 * MINUTE + timedelta(seconds=17)
        return complete_release(released.pk, completed_at=gone, actor=ACTOR, at=gone)

    results = race(
        lambda: each_minute(accrual.drain),
        lambda: each_minute(accrual.drain),
        lambda: each_minute(lambda at: resize(resized.pk, quantity=str(at.minute), actor=ACTOR, at=at)),
        lambda: each_minute(move),
        lambda: each_minute(price),
        release,
    )
    assert [str(error) for error in failures(results)] == []
    refusals = {code for result in results[:5] for code in result} - {"done"}
    assert refusals <= {"already_billed", "already_bound", "not_bound"}
    rings = MINUTES + 8  # what an account owes after a move is billed by the ring after the one before it
    for minute in range(MINUTES, MINUTES + rings + 1):
        accrual.drain(NOON + minute * MINUTE)
    end = NOON + (MINUTES + rings) * MINUTE
    released.refresh_from_db()
    for allocation in (resized, plain):
        assert_every_window_once_and_exact(allocation, end)
    assert_every_window_once_and_exact(released, released.released_at)
    outbox_relay.drain(end)
    verdict = verification.verify(end, full=True)
    assert verdict.violations == []
    for account in (cast.prepaid, cast.postpaid):
        charged = sum(UsageRecord.objects.filter(billing_account=account).values_list("cost_minor", flat=True))
        credited = sum(late_credits(account.pk))
        funded = PLENTY if account == cast.prepaid else 0
        assert balance(account).amount_minor == funded + credited - charged


def late_credits(account_id: int) -> list[int]:
    entries = LedgerEntry.objects.filter(
        billing_account_id=account_id, transaction__kind="adjustment", ledger_account__chained=True
    )
    return list(entries.values_list("amount_minor", flat=True))


def test_two_ticks_at_once_bill_each_window_once(committed_db: str, cast: Cast) -> None:
    fund(cast.prepaid)
    allocations = [
        start(project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
        for project in (cast.project, cast.postpaid_project)
        for _ in range(3)
    ]
    at = NOON + 30 * MINUTE
    results = race(*[lambda: accrual.drain(at, maximum_windows=10)] * 4)
    assert failures(results) == []
    assert sum(tally.windows for tally in results) + accrual.drain(at).windows == 6 * 30
    for allocation in allocations:
        assert_every_window_once_and_exact(allocation, at)
    assert verification.verify(at, full=True).violations == []


def test_a_month_that_many_workers_need_at_once_is_made_once(committed_db: str) -> None:
    months = [date(2031, month, 15) for month in range(1, 7)]

    def make_all() -> int:
        for month in months:
            ensure_month(month)
        return len(months)

    assert race(*[make_all] * 6) == [6] * 6
    assert len([table for table in tables() if table.startswith("usage_records_2031_")]) == 6
