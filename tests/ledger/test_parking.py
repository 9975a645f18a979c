"""One account at fault steps aside with its reason; the others are billed; mended, it is billed to the cent."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from accounts.bindings import bind, rebind
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import AuditLog, BillingAccount, Condition, OutboxMessage, Project
from accounts.policy import set_value
from ledger import accrual, parking
from ledger.balances import balance
from ledger.models import AccrualCursor, AccrualSchedule, UsageRecord
from ledger.verification import verify
from quotas.allocations import complete_release, resize, start
from quotas.models import Sku
from quotas.price_book import open_sku, set_rate
from tests import estate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.ledger.raw_sql import execute, fetch

MINUTE = timedelta(minutes=1)
LATER = NOON + 10 * MINUTE
OUT_OF_RANGE = {"usage_cost_in_range", "entry_amount_in_range"}  # whichever the statement meets first


def parked() -> dict[int, str]:
    """Parked accounts and why."""
    return dict(AccrualSchedule.objects.exclude(parked_at=None).values_list("billing_account_id", "park_code"))


def schedule(account: BillingAccount) -> AccrualSchedule:
    return AccrualSchedule.objects.get(billing_account=account)


def price(sku: Sku, rate: str, since: datetime) -> None:
    set_rate(sku, currency="USD", rate_per_unit_hour=rate, effective_from=since, actor=ACTOR, at=NOON)


@pytest.fixture
def unpriced(cast: Cast) -> Sku:
    """The prepaid account runs a SKU whose first rate begins a day from now: as by an import around the act."""
    sku = open_sku("unpriced", "Unpriced", "GPU", at=BEGINNING)
    price(sku, "1", NOON + timedelta(days=1))
    allocation = start_around_the_act(cast.project, sku)
    assert AccrualCursor.objects.filter(pk=allocation).exists()
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    return sku


def start_around_the_act(project: Project, sku: Sku, quantity: str = "1") -> int:
    """A running allocation written by plain SQL: the act would ask for a rate first."""
    ((allocation,),) = fetch(
        "INSERT INTO allocations (organization_id, project_id, sku_id, external_id, status, requested_at, started_at)"
        " VALUES (%s, %s, %s, '', 'active', %s, %s) RETURNING id",
        [project.organization_id, project.pk, sku.pk, NOON, NOON],
    )
    execute(
        "INSERT INTO allocation_quantities (allocation_id, organization_id, quantity, effective_from)"
        " VALUES (%s, %s, %s, %s)",
        [allocation, project.organization_id, quantity, NOON],
    )
    return int(allocation)


def test_an_account_whose_usage_has_no_price_is_parked_and_the_others_are_billed(cast: Cast, unpriced: Sku) -> None:
    tally = accrual.drain(LATER)
    assert (tally.parked, tally.windows) == (1, 10)
    assert parked() == {cast.prepaid.pk: "unpriced_usage"}
    assert schedule(cast.prepaid).park_reason
    assert balance(cast.postpaid).amount_minor == -42
    assert balance(cast.prepaid).amount_minor == 0


def test_a_cut_piece_of_one_allocation_does_not_hide_the_missing_price_of_another(cast: Cast) -> None:
    hour = timedelta(hours=1)
    reason = "by the hour"
    set_value("billing.window_seconds", 3600, scope="global", scope_id=None, actor=ACTOR, reason=reason, at=BEGINNING)
    priced = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + hour)
    start_around_the_act(cast.project, open_sku("unpriced", "Unpriced", "GPU", at=BEGINNING))
    resize(priced.pk, quantity="2", actor=ACTOR, at=NOON + 1.5 * hour)
    AccrualSchedule.objects.update(due_at=NOON)
    accrual.drain(NOON + 1.75 * hour)
    assert parked() == {cast.prepaid.pk: "unpriced_usage"}


def test_a_parked_account_is_shown_audited_and_told_of_once(cast: Cast, unpriced: Sku) -> None:
    for at in (LATER, LATER + MINUTE, LATER + timedelta(hours=3)):
        accrual.drain(at)
    assert schedule(cast.prepaid).failures == 3
    assert schedule(cast.prepaid).parked_at == LATER
    condition = Condition.objects.get(billing_account=cast.prepaid, type="AccrualHealthy")
    assert (condition.status, condition.reason, condition.last_transition_at) == ("False", "Parked", LATER)
    assert condition.message.startswith("unpriced_usage: ")
    assert AuditLog.objects.get(action="accrual.park").billing_account == cast.prepaid
    message = OutboxMessage.objects.get(topic="ledger.account_parked")
    assert message.payload["account"] == cast.prepaid.public_id
    assert message.payload["code"] == "unpriced_usage"


def test_retries_grow_apart(cast: Cast, unpriced: Sku) -> None:
    at, waits = LATER, []
    for _ in range(6):
        accrual.drain(at)
        retry_at = schedule(cast.prepaid).retry_at
        assert retry_at is not None
        waits.append((retry_at - at) // MINUTE)
        assert accrual.drain(retry_at - timedelta(seconds=1), only=[cast.prepaid.pk]).parked == 0
        at = retry_at
    assert waits == [1, 5, 30, 120, 360, 360]


@pytest.mark.usefixtures("tails_are_billed")
def test_mended_it_is_billed_to_the_cent_and_all_is_well(cast: Cast, unpriced: Sku) -> None:
    accrual.drain(LATER)
    price(unpriced, "6", NOON)
    assert accrual.drain(LATER + timedelta(seconds=59), only=[cast.prepaid.pk]).windows == 0
    tally = accrual.drain(LATER + MINUTE, only=[cast.prepaid.pk])
    assert (tally.windows, tally.total_minor, tally.parked) == (11, 110, 0)
    mended = schedule(cast.prepaid)
    assert (mended.parked_at, mended.retry_at, mended.park_code, mended.failures) == (None, None, "", 0)
    assert Condition.objects.get(billing_account=cast.prepaid, type="AccrualHealthy").status == "True"
    assert AuditLog.objects.filter(action="accrual.unpark").count() == 1
    assert OutboxMessage.objects.filter(topic="ledger.account_unparked").count() == 1
    assert accrual.drain(LATER + 2 * MINUTE, only=[cast.prepaid.pk]).windows == 1
    assert AuditLog.objects.filter(action="accrual.unpark").count() == 1


def test_an_amount_out_of_range_parks_by_the_name_of_its_rule(cast: Cast) -> None:
    dear = open_sku("dear", "Dear", "GPU", at=BEGINNING)
    price(dear, "1000000000", BEGINNING)
    start(cast.project, dear, quantity="1000000", actor=ACTOR, at=NOON)  # 1.7 × 10^15 minor units a minute
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert accrual.drain(LATER).windows == 10
    assert set(parked()) == {cast.prepaid.pk}
    assert parked()[cast.prepaid.pk] in OUT_OF_RANGE
    assert UsageRecord.objects.filter(billing_account=cast.prepaid).count() == 0


def test_an_allocation_without_a_quantity_parks_its_account(cast: Cast) -> None:
    allocation = start_around_the_act(cast.project, cast.gpu)
    execute("UPDATE allocation_quantities SET effective_to = %s WHERE allocation_id = %s", [NOON + MINUTE, allocation])
    accrual.drain(LATER)
    accrual.drain(LATER + MINUTE)
    assert parked() == {cast.prepaid.pk: "unpriced_usage"}


@pytest.mark.parametrize("places", [(0,), (1,), (6,), (0, 3, 6), (0, 1, 2, 3, 4, 5, 6)])
def test_a_batch_is_halved_down_to_those_at_fault_wherever_they_stand(cast: Cast, places: tuple[int, ...]) -> None:
    dear = open_sku("dear", "Dear", "GPU", at=BEGINNING)
    price(dear, "9999999999", BEGINNING)
    accounts = [_account(cast, number) for number in range(7)]
    for place, (_, project) in enumerate(accounts):
        start(project, dear if place in places else cast.gpu, quantity="999999", actor=ACTOR, at=NOON)
    tally = accrual.drain(NOON + MINUTE)
    assert set(parked()) == {accounts[place][0].pk for place in places}
    assert (tally.parked, tally.windows) == (len(places), 7 - len(places))


def _account(cast: Cast, number: int) -> tuple[BillingAccount, Project]:
    account = open_billing_account(
        cast.acme, cast.entity, f"Seventh {number}", currency="USD", settlement="postpaid", actor=ACTOR, at=BEGINNING
    )
    project = open_project(cast.acme, f"Seventh {number}", f"seventh-{number}", at=BEGINNING)
    bind(project, account, actor=ACTOR, at=BEGINNING)
    return account, project


def test_a_lost_connection_or_a_lock_that_takes_too_long_parks_nobody(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)

    def lost(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(accrual, "_tick", lost)
    with pytest.raises(OperationalError):
        accrual.drain(LATER)
    assert parked() == {}
    monkeypatch.undo()
    assert accrual.drain(LATER).windows == 10


@pytest.mark.usefixtures("tails_are_billed")
def test_a_parked_account_keeps_its_usage_for_later_and_its_project_may_move(cast: Cast, unpriced: Sku) -> None:
    accrual.drain(LATER)
    price(unpriced, "6", LATER)
    rebind(cast.project, cast.postpaid, actor=ACTOR, at=LATER)
    accrual.drain(LATER + 5 * MINUTE)
    assert parked() == {cast.prepaid.pk: "unpriced_usage"}
    price(unpriced, "1.20", NOON)
    accrual.drain(LATER + 10 * MINUTE)
    accrual.drain(LATER + 11 * MINUTE)
    assert parked() == {}
    usage = UsageRecord.objects.filter(allocation__sku=unpriced)
    assert sum(usage.filter(billing_account=cast.prepaid).values_list("cost_minor", flat=True)) == 20
    assert sum(usage.filter(billing_account=cast.postpaid).values_list("cost_minor", flat=True)) == 110


@pytest.mark.parametrize("error", [ValueError("x"), OperationalError("y")])
def test_an_error_without_a_name_still_has_a_code(error: Exception) -> None:
    assert parking.code_of(error) == "error"


def test_a_release_ends_the_trouble_of_what_never_had_a_price(cast: Cast, unpriced: Sku) -> None:
    """Released at its start, nothing of it is due any more."""
    accrual.drain(LATER)
    allocation = AccrualCursor.objects.get(sku=unpriced).allocation
    complete_release(allocation.pk, completed_at=NOON, actor=ACTOR, at=LATER)
    accrual.drain(LATER + MINUTE)
    assert parked() == {}
    assert UsageRecord.objects.filter(allocation=allocation).count() == 0


def plant_three(accounts: int) -> dict[int, set[str]]:
    """Accounts of the estate that cannot be billed: no price, a cost out of range, a cost beyond any number kept."""
    dear, bare = (open_sku(code, code, "GPU", at=BEGINNING) for code in ("dear", "bare"))
    price(dear, "9999999999", BEGINNING)
    price(bare, "1", NOON + timedelta(days=30))
    faults = ((bare, "1", {"unpriced_usage"}), (dear, "1000000", OUT_OF_RANGE), (dear, "999999999999", {"22003"}))
    projects = Project.objects.filter(slug__startswith="estate-").order_by("id")
    planted: dict[int, set[str]] = {}
    for place, (sku, quantity, codes) in zip((accounts // 7, accounts // 2, accounts - 1), faults, strict=True):
        project = projects[place]
        start_around_the_act(project, sku, quantity)
        planted[project.bindings.get().billing_account_id] = codes
    return planted


@pytest.mark.long
def test_three_at_fault_among_a_hundred_thousand_are_parked_and_all_the_others_are_billed(committed_db: str) -> None:
    accounts = 100_000
    estate.build(accounts=accounts, allocations_each=1, started_at=NOON)
    planted = plant_three(accounts)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    tally = accrual.drain(NOON + MINUTE)
    assert (tally.parked, tally.windows) == (3, accounts - 3)
    assert set(parked()) == set(planted)
    assert all(parked()[account] in codes for account, codes in planted.items())
    reasons = AccrualSchedule.objects.filter(billing_account__in=planted).values_list("park_reason", flat=True)
    assert all(reasons)
    billed = UsageRecord.objects.values_list("billing_account_id", flat=True)
    assert not set(billed) & set(planted)
    assert billed.distinct().count() == accounts - 3
    assert verify(LATER, full=True).violations == []
    assert accrual.drain(NOON + MINUTE).windows == 0
