"""The life of an allocation, forwards only: requested, active, releasing, released."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from accounts import outbox_relay
from accounts.bindings import rebind
from accounts.errors import AccountNotReady, Conflict, DomainError, NotFound, TimeInvalid
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import AuditLog, OutboxMessage, Phase
from ledger import accrual
from ledger.balances import balance
from ledger.late_releases import credit_overrun
from ledger.models import AccrualCursor, LedgerTransaction, UsageRecord
from quotas.allocations import activate, complete_release, request, request_release, resize, start
from quotas.errors import AlreadyBilled, NoRate, NotBound, QuantityInvalid, ReleaseBeforeStart, WrongStatus
from quotas.models import Allocation, AllocationQuantity
from quotas.price_book import open_sku, set_rate
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, refused_by

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
UNKNOWN = 10**12
BAD_MOMENTS = [NOON.replace(tzinfo=None), datetime(9999, 12, 31, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC)]


def begin(cast: Cast, quantity: object = "1") -> Allocation:
    return start(cast.project, cast.gpu, quantity=quantity, actor=ACTOR, at=NOON)


def release(allocation: Allocation, minutes: float, told_after: float | None = None) -> Allocation:
    """Gone after some minutes, reported at once or later."""
    gone = NOON + minutes * MINUTE
    told = gone if told_after is None else NOON + told_after * MINUTE
    return complete_release(allocation.pk, completed_at=gone, actor=ACTOR, at=told)


def quantities(allocation: Allocation) -> list[tuple[Decimal, datetime, datetime | None]]:
    rows = allocation.quantities.order_by("id")
    return list(rows.values_list("quantity", "effective_from", "effective_to"))


def owed(cast: Cast) -> int:
    return -balance(cast.prepaid).amount_minor


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=topic).count()


def test_a_requested_allocation_costs_nothing_until_it_starts(cast: Cast) -> None:
    allocation = request(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=NOON)
    assert (allocation.status, allocation.requested_at, allocation.started_at) == ("requested", NOON, None)
    accrual.drain(NOON + 5 * MINUTE)
    assert owed(cast) == 0
    activate(allocation.pk, actor=ACTOR, at=NOON + 5 * MINUTE)
    accrual.drain(NOON + 6 * MINUTE)
    assert owed(cast) == 8
    assert told("quotas.allocation_started") == 1


def test_each_act_of_a_life_is_audited_and_published(cast: Cast) -> None:
    allocation = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    activate(allocation.pk, actor=ACTOR, at=NOON)
    resize(allocation.pk, quantity="2", actor=ACTOR, at=NOON + MINUTE)
    request_release(allocation.pk, actor=ACTOR, at=NOON + 2 * MINUTE)
    release(allocation, 3)
    rows = AuditLog.objects.filter(subject_type="allocation", subject_id=allocation.pk).order_by("id")
    assert list(rows.values_list("action", flat=True)) == [
        "allocation.request",
        "allocation.start",
        "allocation.resize",
        "allocation.request_release",
        "allocation.release",
    ]
    assert {row.billing_account_id for row in rows} == {cast.prepaid.pk}
    messages = OutboxMessage.objects.filter(billing_account=cast.prepaid).order_by("seq")
    assert list(messages.values_list("topic", flat=True)) == [
        "quotas.allocation_started",
        "quotas.allocation_resized",
        "quotas.allocation_released",
    ]


def test_a_machine_is_charged_while_it_is_being_taken_down(cast: Cast) -> None:
    allocation = begin(cast, "60")
    request_release(allocation.pk, actor=ACTOR, at=NOON + MINUTE)
    accrual.drain(NOON + 3 * MINUTE)
    assert owed(cast) == 750
    released = release(allocation, 3.5)
    accrual.drain(NOON + 10 * MINUTE)
    assert owed(cast) == 875
    assert (released.status, released.release_requested_at) == ("released", NOON + MINUTE)
    assert released.released_at == released.completed_at == NOON + 3.5 * MINUTE


def test_asking_twice_for_a_release_changes_nothing(cast: Cast) -> None:
    allocation = begin(cast)
    first = request_release(allocation.pk, actor=ACTOR, at=NOON + MINUTE)
    again = request_release(allocation.pk, actor=ACTOR, at=NOON + 2 * MINUTE)
    assert again.release_requested_at == first.release_requested_at == NOON + MINUTE


def test_reporting_the_same_release_twice_changes_nothing(cast: Cast) -> None:
    allocation = begin(cast)
    release(allocation, 2)
    assert release(allocation, 2, told_after=60).released_at == NOON + 2 * MINUTE
    assert told("quotas.allocation_released") == 1
    with pytest.raises(WrongStatus):
        release(allocation, 3)


def test_an_allocation_released_where_it_started_costs_nothing(cast: Cast) -> None:
    release(begin(cast), 0)
    accrual.drain(NOON + 10 * MINUTE)
    assert UsageRecord.objects.count() == 0
    assert AccrualCursor.objects.get().done


def test_a_release_before_the_start_is_refused(cast: Cast) -> None:
    allocation = begin(cast)
    with pytest.raises(ReleaseBeforeStart) as refused:
        release(allocation, -1, told_after=1)
    assert (refused.value.code, refused.value.field) == ("release_before_start", "completed_at")
    allocation.refresh_from_db()
    assert (allocation.status, allocation.released_at) == ("active", None)


def test_a_release_that_has_not_happened_yet_is_refused(cast: Cast) -> None:
    allocation = begin(cast)
    with pytest.raises(TimeInvalid) as refused:
        release(allocation, 2, told_after=1)
    assert refused.value.field == "completed_at"


@pytest.mark.parametrize(("minutes", "told_after"), [(1.5, 3), (0, 3), (2.75, 3)])
def test_a_release_reported_late_is_charged_to_its_moment_and_the_rest_is_credited(
    cast: Cast, minutes: float, told_after: float
) -> None:
    allocation = begin(cast, "60")
    accrual.drain(NOON + told_after * MINUTE)
    assert owed(cast) == 750
    released = release(allocation, minutes, told_after)
    assert (released.completed_at, released.released_at) == (NOON + minutes * MINUTE, NOON + told_after * MINUTE)
    accrual.drain(NOON + 10 * MINUTE)
    assert owed(cast) == 750
    outbox_relay.drain(NOON + 10 * MINUTE)
    assert owed(cast) == round(250 * minutes)
    row = AuditLog.objects.get(action="allocation.credit_overrun")
    assert (row.old_balance, row.new_balance) == (-750, -owed(cast))


def test_a_late_release_is_credited_once(cast: Cast) -> None:
    allocation = begin(cast, "60")
    accrual.drain(NOON + 3 * MINUTE)
    release(allocation, 1, told_after=3)
    outbox_relay.drain(NOON + 4 * MINUTE)
    message = OutboxMessage.objects.get(topic="quotas.release_reported_late")
    with pytest.raises(DomainError) as refused, transaction.atomic():
        credit_overrun(message, at=NOON + 5 * MINUTE)
    assert refused.value.code == "already_posted"
    assert owed(cast) == 250


def test_a_late_release_credits_each_account_that_paid(cast: Cast) -> None:
    other = open_billing_account(
        cast.acme, cast.entity, "Other", currency="USD", settlement="postpaid", actor=ACTOR, at=BEGINNING
    )
    allocation = begin(cast, "60")
    accrual.drain(NOON + 2 * MINUTE)
    rebind(cast.project, other, actor=ACTOR, at=NOON + 2 * MINUTE)
    for minute in (3, 4):
        accrual.drain(NOON + minute * MINUTE)
    assert (owed(cast), -balance(other).amount_minor) == (500, 500)
    release(allocation, 1, told_after=4)
    outbox_relay.drain(NOON + 5 * MINUTE)
    assert (owed(cast), -balance(other).amount_minor) == (250, 0)
    assert LedgerTransaction.objects.filter(kind="adjustment").count() == 2


def test_a_release_reported_in_time_is_not_credited(cast: Cast) -> None:
    allocation = begin(cast)
    accrual.drain(NOON + 3 * MINUTE)
    release(allocation, 3)
    assert told("quotas.release_reported_late") == 0


def test_a_resize_follows_without_a_gap(cast: Cast) -> None:
    allocation = begin(cast)
    resize(allocation.pk, quantity="0.5", actor=ACTOR, at=NOON + MINUTE)
    assert quantities(allocation) == [
        (Decimal(1), NOON, NOON + MINUTE),
        (Decimal("0.5"), NOON + MINUTE, None),
    ]


def test_of_two_resizes_in_one_instant_the_last_wins(cast: Cast) -> None:
    allocation = begin(cast, "60")
    for quantity in ("120", "180"):
        resize(allocation.pk, quantity=quantity, actor=ACTOR, at=NOON + MINUTE)
    accrual.drain(NOON + 2 * MINUTE)
    assert owed(cast) == 250 + 750
    assert UsageRecord.objects.count() == 2


def test_a_resize_at_the_start_replaces_what_was_asked_for(cast: Cast) -> None:
    allocation = begin(cast, "60")
    resize(allocation.pk, quantity="120", actor=ACTOR, at=NOON)
    accrual.drain(NOON + MINUTE)
    assert owed(cast) == 500


def test_a_resize_of_the_past_is_refused(cast: Cast) -> None:
    allocation = begin(cast)
    accrual.drain(NOON + 2 * MINUTE)
    with pytest.raises(AlreadyBilled):
        resize(allocation.pk, quantity="2", actor=ACTOR, at=NOON + MINUTE)
    resize(allocation.pk, quantity="2", actor=ACTOR, at=NOON + 2 * MINUTE)
    with pytest.raises(AlreadyBilled):
        resize(allocation.pk, quantity="3", actor=ACTOR, at=NOON + 119 * SECOND)
    assert len(quantities(allocation)) == 2


def test_a_released_allocation_is_over(cast: Cast) -> None:
    allocation = begin(cast)
    release(allocation, 1)
    later = NOON + 5 * MINUTE
    for act in (
        lambda: resize(allocation.pk, quantity="2", actor=ACTOR, at=later),
        lambda: activate(allocation.pk, actor=ACTOR, at=later),
        lambda: request_release(allocation.pk, actor=ACTOR, at=later),
        lambda: release(allocation, 2),
    ):
        with pytest.raises(WrongStatus) as refused:
            act()
        assert (refused.value.code, refused.value.status) == ("wrong_status", 409)


def test_what_never_started_is_not_released_and_what_started_does_not_start_again(cast: Cast) -> None:
    waiting = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    for act in (lambda: request_release(waiting.pk, actor=ACTOR, at=NOON), lambda: release(waiting, 1)):
        with pytest.raises(WrongStatus):
            act()
    running = begin(cast)
    with pytest.raises(WrongStatus):
        activate(running.pk, actor=ACTOR, at=NOON)


def test_an_unknown_allocation_is_not_found(cast: Cast) -> None:
    for act in (
        lambda: activate(UNKNOWN, actor=ACTOR, at=NOON),
        lambda: resize(UNKNOWN, quantity="1", actor=ACTOR, at=NOON),
        lambda: request_release(UNKNOWN, actor=ACTOR, at=NOON),
        lambda: complete_release(UNKNOWN, completed_at=NOON, actor=ACTOR, at=NOON),
    ):
        with pytest.raises(NotFound) as refused:
            act()
        assert (refused.value.code, refused.value.status) == ("not_found", 404)


@pytest.mark.parametrize("quantity", ["0", 0, "-1", "0.0000001", "NaN", 1.5, None, True, "1e3", 10**12], ids=repr)
def test_a_quantity_that_is_none_is_refused_with_nothing_written(cast: Cast, quantity: object) -> None:
    with pytest.raises(QuantityInvalid):
        begin(cast, quantity)
    assert not Allocation.objects.exists()
    allocation = begin(cast)
    with pytest.raises(QuantityInvalid):
        resize(allocation.pk, quantity=quantity, actor=ACTOR, at=NOON + MINUTE)
    assert len(quantities(allocation)) == 1


@pytest.mark.parametrize("at", BAD_MOMENTS, ids=repr)
def test_a_moment_without_zone_or_out_of_range_is_refused(cast: Cast, at: datetime) -> None:
    waiting = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    running = begin(cast)
    for act in (
        lambda: request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=at),
        lambda: activate(waiting.pk, actor=ACTOR, at=at),
        lambda: resize(running.pk, quantity="2", actor=ACTOR, at=at),
        lambda: request_release(running.pk, actor=ACTOR, at=at),
        lambda: complete_release(running.pk, completed_at=at, actor=ACTOR, at=NOON),
        lambda: complete_release(running.pk, completed_at=NOON, actor=ACTOR, at=at),
    ):
        with pytest.raises(TimeInvalid):
            act()
    assert Allocation.objects.count() == 2


def test_an_allocation_does_not_start_before_it_was_asked_for_or_bound(cast: Cast) -> None:
    waiting = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    with pytest.raises(TimeInvalid):
        activate(waiting.pk, actor=ACTOR, at=NOON - SECOND)
    early = request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=BEGINNING - MINUTE)
    with pytest.raises(TimeInvalid):
        activate(early.pk, actor=ACTOR, at=BEGINNING - SECOND)


def test_a_project_that_nobody_pays_for_starts_nothing(cast: Cast) -> None:
    free = open_project(cast.acme, "Free", "free", at=BEGINNING)
    for act in (start, request):
        with pytest.raises(NotBound) as refused:
            act(free, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
        assert (refused.value.code, refused.value.field) == ("not_bound", "project")
    assert not Allocation.objects.exists()


def test_to_start_at_once_is_one_act(cast: Cast) -> None:
    allocation = begin(cast, "2")
    assert (allocation.status, allocation.requested_at, allocation.started_at) == ("active", NOON, NOON)
    assert quantities(allocation) == [(Decimal(2), NOON, None)]
    assert AuditLog.objects.get(subject_type="allocation").action == "allocation.start"
    assert AccrualCursor.objects.get().accrued_to == NOON


def test_an_account_that_is_not_ready_starts_nothing(cast: Cast) -> None:
    cast.prepaid.phase = Phase.SUSPENDED
    cast.prepaid.save()
    with pytest.raises(AccountNotReady):
        begin(cast)
    assert not Allocation.objects.exists()


def test_what_has_no_price_does_not_start(cast: Cast) -> None:
    cpu = open_sku("cpu", "CPU", "vCPU", at=BEGINNING)
    set_rate(cpu, currency="EUR", rate_per_unit_hour="1", effective_from=BEGINNING, actor=ACTOR, at=NOON)
    set_rate(cpu, currency="USD", rate_per_unit_hour="1", effective_from=NOON + MINUTE, actor=ACTOR, at=NOON)
    with pytest.raises(NoRate) as refused:
        start(cast.project, cpu, quantity="1", actor=ACTOR, at=NOON)
    assert (refused.value.code, refused.value.field) == ("no_rate", "sku")
    assert not Allocation.objects.exists()


def test_an_external_id_names_one_allocation_of_a_project(cast: Cast) -> None:
    def named(project: object) -> Allocation:
        return start(project, cast.gpu, quantity="1", external_id="job-1", actor=ACTOR, at=NOON)  # type: ignore[arg-type]

    named(cast.project)
    with pytest.raises(Conflict) as refused:
        named(cast.project)
    assert refused.value.field == "external_id"
    named(cast.postpaid_project)
    begin(cast)
    begin(cast)
    assert Allocation.objects.count() == 4


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("started_at = started_at - interval '1 hour'", "allocations_keep_their_past"),
        ("requested_at = now()", "allocations_keep_their_past"),
        ("project_id = {project}", "allocations_keep_their_past"),
        ("status = 'requested', started_at = NULL", "allocations_keep_their_past"),
        ("status = 'released'", "allocations_status_has_its_times"),
        ("status = 'releasing'", "allocations_status_has_its_times"),
        ("status = 'gone'", "allocations_status_has_its_times"),
    ],
)
def test_the_database_refuses_to_rewrite_an_allocation(cast: Cast, change: str, rule: str) -> None:
    allocation = begin(cast)
    with refused_by(rule):
        execute(
            f"UPDATE allocations SET {change.format(project=cast.postpaid_project.pk)} WHERE id = %s",
            [allocation.pk],
        )


def test_the_database_refuses_to_bring_a_released_allocation_back(cast: Cast) -> None:
    allocation = begin(cast)
    release(allocation, 1)
    for change in ("status = 'active', released_at = NULL", "released_at = released_at + interval '1 hour'"):
        with refused_by("allocations_keep_their_past"):
            execute(f"UPDATE allocations SET {change} WHERE id = %s", [allocation.pk])
    with refused_by(NO_PRIVILEGE):
        execute("DELETE FROM allocations")


def test_a_release_before_the_start_by_plain_sql_ends_at_the_start(cast: Cast) -> None:
    allocation = begin(cast)
    execute(
        "UPDATE allocations SET status = 'released', released_at = started_at - interval '1 hour' WHERE id = %s",
        [allocation.pk],
    )
    allocation.refresh_from_db()
    assert allocation.released_at == NOON


def test_an_allocation_belongs_to_the_organization_of_its_project(cast: Cast) -> None:
    with refused_by("allocation_project_of_the_organization"):
        Allocation.objects.create(organization=cast.strangers, project=cast.project, sku=cast.gpu, requested_at=NOON)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("quantity = 2", "quantities_follow_each_other"),
        ("effective_from = effective_from - interval '1 hour'", "quantities_follow_each_other"),
        ("effective_to = effective_from + interval '1 hour', quantity = 2", "quantities_follow_each_other"),
        ("effective_to = effective_from - interval '1 hour'", "billed_usage_stands"),
        ("effective_to = effective_from + interval '1 minute'", "billed_usage_stands"),
    ],
)
def test_the_database_refuses_to_rewrite_a_quantity(cast: Cast, change: str, rule: str) -> None:
    begin(cast)
    accrual.drain(NOON + 2 * MINUTE)
    with refused_by(rule):
        execute(f"UPDATE allocation_quantities SET {change}")


def test_a_quantity_ends_after_it_began(cast: Cast) -> None:
    request(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    with refused_by("allocation_quantity_ends_after_it_begins"):
        execute("UPDATE allocation_quantities SET effective_to = effective_from - interval '1 hour'")


def add(allocation: Allocation, quantity: str, first: datetime, last: datetime | None = None) -> None:
    execute(
        "INSERT INTO allocation_quantities (allocation_id, organization_id, quantity, effective_from, effective_to)"
        " VALUES (%s, %s, %s::numeric, %s, %s)",
        [allocation.pk, allocation.organization_id, quantity, first, last],
    )


def test_the_database_refuses_a_second_quantity_beside_the_first(cast: Cast) -> None:
    allocation = begin(cast)
    with refused_by("one_open_quantity_per_allocation"):
        add(allocation, "5", NOON + MINUTE)
    with refused_by("quantities_follow_each_other"):
        add(allocation, "5", NOON + MINUTE, NOON + 2 * MINUTE)
    execute("UPDATE allocation_quantities SET effective_to = %s", [NOON + MINUTE])
    for first in (NOON + 30 * SECOND, NOON + 2 * MINUTE):
        with refused_by("quantities_follow_each_other"):
            add(allocation, "5", first)
    add(allocation, "5", NOON + MINUTE)
    assert AllocationQuantity.objects.count() == 2


@pytest.mark.parametrize(
    ("quantity", "rule"),
    [
        ("0", "allocation_quantity_is_positive"),
        ("-1", "allocation_quantity_is_positive"),
        ("NaN", "allocation_quantity_is_positive"),
        ("Infinity", "22003"),
        ("1000000000000", "22003"),
    ],
)
def test_the_database_refuses_a_quantity_that_is_none(cast: Cast, quantity: str, rule: str) -> None:
    allocation = begin(cast)
    execute("UPDATE allocation_quantities SET effective_to = %s", [NOON + MINUTE])
    with refused_by(rule):
        add(allocation, quantity, NOON + MINUTE)
