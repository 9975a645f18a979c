"""The life of a subscription: how it moves, what it holds, and what the database itself refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts import policy
from accounts.errors import Conflict, DomainError, NotFound, ReasonRequired, TimeInvalid
from accounts.lifecycle import open_organization
from accounts.models import AuditLog, EnforcementReason, Organization, OutboxMessage
from quotas.errors import NoPrice, QuantityInvalid, UnknownItem
from quotas.models import CatalogItem, Subscription, SubscriptionItem, SubscriptionStatus
from quotas.subscription_clock import drain
from quotas.subscription_items import open_items
from quotas.subscription_outlook import coming_periods, held_price
from quotas.subscription_states import MOVES
from quotas.subscriptions import assign_plan, move
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import NO_PRIVILEGE, execute, refused_by
from tests.quotas.plans import addon, catalog_document, publish
from tests.quotas.subscription_scene import BY, assign, one_person_publishes
from tests.quotas.subscription_scene import move as bring

DAY = timedelta(days=1)
JANUARY_31 = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.fixture
def acme(cast: Cast) -> Organization:
    publish(at=JANUARY_31)
    return cast.acme


def again(subscription: Subscription) -> Subscription:
    return Subscription.objects.get(pk=subscription.pk)


def periods(subscription: Subscription) -> tuple[str, str]:
    found = again(subscription)
    return found.period_start.date().isoformat(), found.period_end.date().isoformat()


def held(subscription: Subscription) -> dict[str, int]:
    return {row.item.code: row.quantity for row in open_items(subscription)}


def raw(organization: Organization, status: str) -> int:
    """A subscription in a state, past every act."""
    row = Subscription.objects.create(
        organization=organization,
        status=status,
        currency="EUR",
        interval="month",
        anchor_at=NOON,
        period_start=NOON,
        period_end=NOON + 30 * DAY,
        trial_ends_at=NOON + 14 * DAY,
        suspended_at=NOON if status in ("suspended", "canceled") else None,
        canceled_at=NOON if status == "canceled" else None,
        created_at=NOON,
    )
    return row.pk


def refusing_rule(key: int, status: str) -> str:
    """Which rule of the database keeps a row from going to a state with the times of that state; undone."""
    suspended, canceled = status in ("suspended", "canceled"), status == "canceled"
    try:
        with transaction.atomic():
            execute(
                "UPDATE subscriptions SET status = %s, suspended_at = CASE WHEN %s THEN now() END,"
                " canceled_at = CASE WHEN %s THEN now() END WHERE id = %s",
                [status, suspended, canceled, key],
            )
            transaction.set_rollback(True)
    except IntegrityError as error:
        return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]
    return ""


def test_the_database_and_the_table_of_states_say_the_same(cast: Cast) -> None:
    for number, begins in enumerate(SubscriptionStatus.values):
        key = raw(open_organization(begins, f"o-{number}", owner=cast.alice, at=NOON), begins)
        for ends in SubscriptionStatus.values:
            goes = ends in MOVES[begins] or ends == begins
            assert refusing_rule(key, ends) == ("" if goes else "subscriptions_move_by_their_states"), (begins, ends)


def test_every_move_of_the_table_is_made_and_no_other(cast: Cast) -> None:
    for number, begins in enumerate(SubscriptionStatus.values):
        key = raw(open_organization(begins, f"o-{number}", owner=cast.alice, at=NOON), begins)
        for ends in SubscriptionStatus.values:
            with transaction.atomic():
                if ends in MOVES[begins]:
                    kept = (begins, ends) == ("canceling", "active")  # and its trial has not ended
                    assert move(key, ends, at=NOON, **BY).status == ("trialing" if kept else ends)
                else:
                    with pytest.raises(Conflict, match="does not go from"):
                        move(key, ends, at=NOON, **BY)
                transaction.set_rollback(True)


def test_a_trial_that_is_canceled_and_kept_goes_on(cast: Cast) -> None:
    document = catalog_document()
    document["plans"]["pro-pool"]["trialDays"] = 14
    publish(document)
    trial = assign_plan(cast.acme, "pro-pool", {}, actor=ACTOR, reason="for a test", at=NOON)
    move(trial.pk, "canceling", actor=ACTOR, reason="for a test", at=NOON + DAY)
    kept = move(trial.pk, "active", actor=ACTOR, reason="for a test", at=NOON + 2 * DAY)
    assert (kept.status, kept.due_at) == ("trialing", NOON + 14 * DAY)


def test_a_trial_becomes_paid_at_its_end_and_its_periods_count_from_there(cast: Cast) -> None:
    document = catalog_document()
    document["plans"]["pro-pool"]["trialDays"] = 14
    publish(document, at=JANUARY_31)
    subscription = assign(cast.acme, "pro-pool", at=JANUARY_31)
    assert (subscription.status, subscription.due_at) == ("trialing", JANUARY_31 + 14 * DAY)
    assert [one.start.date().isoformat() for one in coming_periods(subscription, 2)] == ["2026-02-14", "2026-03-14"]
    assert drain(JANUARY_31 + 14 * DAY - timedelta(microseconds=1)) == 0
    assert drain(JANUARY_31 + 14 * DAY) == 1
    assert (again(subscription).status, periods(subscription)) == ("active", ("2026-02-14", "2026-03-14"))
    row = AuditLog.objects.get(action="subscription.active")
    assert (row.at, row.reason) == (JANUARY_31 + 14 * DAY, "the trial ended")


def test_periods_missed_are_all_entered_and_a_month_s_end_does_not_drift(acme: Organization) -> None:
    subscription = assign(acme, "pro-pool", at=JANUARY_31)
    assert periods(subscription) == ("2026-01-31", "2026-02-28")
    assert drain(datetime(2026, 6, 15, tzinfo=UTC)) == 1
    assert periods(subscription) == ("2026-05-31", "2026-06-30")
    begun = [row.period_start.date().isoformat() for row in subscription.history.order_by("history_id")]
    assert sorted(set(begun)) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]
    assert drain(datetime(2026, 6, 15, tzinfo=UTC)) == 0
    assert [one.end.date().isoformat() for one in coming_periods(again(subscription), 3)] == [
        "2026-07-31",
        "2026-08-31",
        "2026-09-30",
    ]


def test_periods_follow_the_wall_clock_of_their_time_zone(acme: Organization) -> None:
    subscription = assign(acme, "pro-pool", time_zone="Europe/Berlin", at=datetime(2026, 3, 15, 23, 30, tzinfo=UTC))
    assert again(subscription).period_end == datetime(2026, 4, 15, 22, 30, tzinfo=UTC)  # 00:30 in Berlin, twice
    with pytest.raises(DomainError) as caught:
        assign(open_organization("X", "x", owner=acme.owner, at=NOON), "pro-pool", time_zone="Mars/Olympus")
    assert caught.value.code == "time_zone_unknown"


def test_a_cancellation_is_a_suspension_at_the_period_s_end_and_final_after_the_grace(acme: Organization) -> None:
    subscription = bring(assign(acme, "pro-pool", at=NOON), "canceling", at=NOON + DAY)
    end = again(subscription).period_end
    assert (coming_periods(subscription, 3), subscription.due_at) == ([], end)
    assert drain(end - timedelta(seconds=1)) == 0
    drain(end + 2 * DAY)  # late: it is dated by when it was due
    found = again(subscription)
    assert (found.status, found.suspended_at, found.due_at) == ("suspended", end, end + 7 * DAY)
    drain(end + 30 * DAY)
    found = again(subscription)
    assert (found.status, found.suspended_at, found.canceled_at) == ("canceled", end, end + 7 * DAY)
    assert held(found) == {"pro-pool": 1}  # kept for who comes back
    levels = (
        EnforcementReason.objects.filter(organization=acme).order_by("pk").values_list("level", "since", "closed_at")
    )
    assert list(levels) == [("restricted", end, end + 7 * DAY), ("halted", end + 7 * DAY, None)]


def test_one_late_ring_makes_every_move_that_was_missed(acme: Organization) -> None:
    subscription = bring(assign(acme, "pro-pool"), "canceling")
    drain(NOON + 365 * DAY)
    assert again(subscription).status == "canceled"
    moves = AuditLog.objects.filter(subject_type="subscription", subject_id=subscription.pk).order_by("pk")
    assert [row.action.partition(".")[2] for row in moves] == ["assign", "canceling", "suspended", "canceled"]
    assert OutboxMessage.objects.filter(topic="quotas.subscription_changed").count() == 4


def test_a_cancellation_taken_back_goes_on(acme: Organization) -> None:
    subscription = bring(bring(assign(acme, "pro-pool"), "canceling", at=NOON + DAY), "active", at=NOON + 2 * DAY)
    drain(NOON + 40 * DAY)
    assert (again(subscription).status, periods(subscription)) == ("active", ("2026-04-10", "2026-05-10"))


def test_a_suspension_far_in_the_future_does_not_trip_the_grace(acme: Organization) -> None:
    subscription = bring(assign(acme, "pro-pool"), "suspended", at=datetime(2099, 1, 1, tzinfo=UTC))
    assert drain(NOON + 3650 * DAY) == 0
    assert again(subscription).status == "suspended"


def test_the_grace_is_the_policy_s(acme: Organization) -> None:
    policy.set_value(
        "quotas.suspension_grace_days", 1, scope="tenant", scope_id=acme.pk, actor=ACTOR, reason="short", at=NOON
    )
    subscription = bring(assign(acme, "pro-pool"), "suspended")
    assert subscription.due_at == NOON + DAY


def test_a_plan_assigned_to_who_was_suspended_begins_a_period(acme: Organization) -> None:
    subscription = bring(assign(acme, "pro-pool", {"turbo-x1": 1}), "suspended", at=NOON + DAY)
    found = assign(acme, "dev-pool", at=NOON + 3 * DAY)
    assert (found.pk, found.status, found.period_start) == (subscription.pk, "active", NOON + 3 * DAY)
    assert held(found) == {"dev-pool": 1}
    assert not EnforcementReason.objects.filter(organization=acme, closed_at=None).exists()


def test_what_is_held_keeps_its_price_until_the_newest_is_asked_for(acme: Organization) -> None:
    one_person_publishes()
    subscription = assign(acme, "pro-pool", {"turbo-x1": 2})
    dearer = catalog_document()
    dearer["plans"]["pro-pool"]["price"] = 59
    dearer["addons"]["turbo-x1"]["price"] = 11
    publish(dearer, at=NOON + DAY)
    more = assign(acme, "pro-pool", {"turbo-x1": 3}, at=NOON + 2 * DAY)
    assert held_price(more, open_items(more)).amount_minor == 4900 + 3 * 900
    newest = assign(acme, "pro-pool", {"turbo-x1": 3}, newest=True, at=NOON + 3 * DAY)
    assert held_price(newest, open_items(newest)).amount_minor == 5900 + 3 * 1100
    assert subscription.items.count() == 5
    assert again(subscription).period_start == NOON  # nothing but what is held changed


def test_an_add_on_that_is_switched_off_is_kept_and_not_sold(acme: Organization) -> None:
    one_person_publishes()
    assign(acme, "pro-pool", {"turbo-x1": 2})
    document = catalog_document()
    document["addons"]["turbo-x1"] = addon(displayName="Turbo x1", disabled=True)
    publish(document, at=NOON + DAY)
    for counts in ({"turbo-x1": 3}, {"turbo-x1": 2, "turbo-x2": 1}):
        at = NOON + 2 * DAY
        if "turbo-x2" in counts:
            assert held(assign(acme, "pro-pool", counts, at=at)) == {"pro-pool": 1, **counts}
        else:
            with pytest.raises(Conflict) as caught:
                assign(acme, "pro-pool", counts, at=at)
            assert caught.value.code == "addon_disabled"


def test_the_account_decides_the_currency(cast: Cast, acme: Organization) -> None:
    subscription = assign(acme, "pro-pool", account=cast.postpaid)
    assert (subscription.currency, held_price(subscription, open_items(subscription)).amount_minor) == ("USD", 2000)
    elsewhere = assign(cast.strangers, "dev-pool")
    assert elsewhere.billing_account == cast.foreign  # its only one


def test_an_account_of_another_organization_is_not_found(cast: Cast, acme: Organization) -> None:
    with pytest.raises(NotFound) as caught:
        assign(acme, "pro-pool", account=cast.foreign)
    assert (caught.value.code, caught.value.field) == ("not_found", "billing_account")
    assert not Subscription.objects.exists()


BAD: list[tuple[dict[str, Any], type[DomainError], str]] = [
    ({"plan": "nothing"}, UnknownItem, "unknown_item"),
    ({"plan": "turbo-x1"}, UnknownItem, "unknown_item"),
    ({"addons": {"pro-pool": 1}}, UnknownItem, "unknown_item"),
    ({"addons": {"turbo-x1": -1}}, QuantityInvalid, "quantity_invalid"),
    ({"addons": {"turbo-x1": 100_001}}, QuantityInvalid, "quantity_invalid"),
    ({"addons": {"turbo-x1": True}}, QuantityInvalid, "quantity_invalid"),
    ({"addons": {"turbo-x1": 1.5}}, QuantityInvalid, "quantity_invalid"),
    ({"interval": "fortnight"}, NoPrice, "no_price"),
    ({"interval": "year"}, NoPrice, "no_price"),
    ({"reason": "x"}, ReasonRequired, "reason_required"),
    ({"at": NOON.replace(tzinfo=None)}, TimeInvalid, "time_invalid"),
    ({"at": datetime(1999, 1, 1, tzinfo=UTC)}, TimeInvalid, "time_invalid"),
]


@pytest.mark.parametrize(("changed", "refusal", "code"), BAD)
def test_what_cannot_be_assigned_is_refused_and_nothing_written(
    acme: Organization, changed: dict[str, Any], refusal: type[DomainError], code: str
) -> None:
    asked: dict[str, Any] = {"plan": "pro-pool", "addons": {"turbo-x1": 1}, "at": NOON, **BY, **changed}
    with pytest.raises(refusal) as caught:
        assign_plan(acme, asked.pop("plan"), asked.pop("addons"), **asked)
    assert caught.value.code == code
    assert not Subscription.objects.exists()


def test_what_was_changed_since_is_not_changed_before(acme: Organization) -> None:
    subscription = assign(acme, "pro-pool", {"turbo-x1": 1}, at=NOON)
    assign(acme, "pro-pool", {"turbo-x1": 2}, at=NOON + 2 * DAY)
    for plan, addons in (("pro-pool", {"turbo-x1": 3}), ("pro-pool", {"turbo-x1": 2, "turbo-x2": 1}), ("lab", {})):
        with pytest.raises(Conflict) as caught:
            assign(acme, plan, addons, at=NOON + DAY)
        assert caught.value.code == "changed_later"
    assert held(subscription) == {"pro-pool": 1, "turbo-x1": 2}
    with pytest.raises(Conflict) as caught:
        bring(subscription, "canceling", at=NOON - DAY)
    assert caught.value.code == "changed_later"
    bring(subscription, "suspended", at=NOON + 4 * DAY)
    with pytest.raises(Conflict) as caught:
        bring(subscription, "active", at=NOON + 3 * DAY)
    assert caught.value.code == "changed_later"


def test_a_running_subscription_keeps_its_interval(acme: Organization) -> None:
    assign(acme, "pro-pool")
    with pytest.raises(DomainError) as caught:
        assign(acme, "pro-pool", interval="year", at=NOON + DAY)
    assert caught.value.code in ("no_price", "interval_fixed")


# What follows is plain SQL, as the application's role.


@pytest.fixture
def rows(acme: Organization) -> Subscription:
    return assign(acme, "pro-pool", {"turbo-x1": 2})


def insert_item(subscription: Subscription, copied: str, **values: Any) -> None:
    """Another row like one that is held, with some values of it changed."""
    names = ["subscription_id", "organization_id", "kind", "item_id", "version_id", "price_id", "quantity"]
    names += ["effective_from", "effective_to"]
    shown = ", ".join("%s" if name in values else name for name in names)
    execute(
        f"INSERT INTO subscription_items ({', '.join(names)}) SELECT {shown} FROM subscription_items"
        " WHERE subscription_id = %s AND kind = %s",
        [*(values[name] for name in names if name in values), subscription.pk, copied],
    )


def test_what_is_held_keeps_its_rules(cast: Cast, rows: Subscription) -> None:
    plan, extra = open_items(rows)
    execute("UPDATE subscription_items SET effective_to = %s WHERE id = %s", [NOON + DAY, extra.pk])
    with refused_by("subscription_items_close_once"):
        execute("UPDATE subscription_items SET effective_to = NULL WHERE id = %s", [extra.pk])
    with refused_by("subscription_items_close_once"):
        execute("UPDATE subscription_items SET effective_to = now() WHERE id = %s", [extra.pk])
    for column, value in (("quantity", 7), ("price_id", extra.price_id), ("effective_from", NOON - DAY)):
        with refused_by("subscription_items_close_once"):
            execute(
                f"UPDATE subscription_items SET {column} = %s, effective_to = now() WHERE id = %s", [value, plan.pk]
            )
    with refused_by("subscription_items_begin_open"):
        insert_item(rows, "add-on", effective_from=NOON + DAY / 2, effective_to=None)  # inside what was held
    with refused_by("subscription_items_begin_open"):
        insert_item(rows, "add-on", effective_from=NOON + 2 * DAY, effective_to=NOON + 3 * DAY)
    with refused_by("one_plan_of_a_subscription_at_a_time"):
        insert_item(rows, "plan", effective_from=NOON + DAY)
    with refused_by("subscription_item_quantity_is_in_range"):
        insert_item(rows, "add-on", effective_from=NOON + DAY, effective_to=None, quantity=100_001)
    with refused_by("subscription_item_of_the_organization"):
        insert_item(rows, "add-on", effective_from=NOON + DAY, effective_to=None, organization_id=cast.strangers.pk)
    with refused_by("subscription_item_is_a_version_of_its_item"):
        insert_item(rows, "add-on", effective_from=NOON + DAY, effective_to=None, version_id=plan.version_id)
    with refused_by("subscription_item_has_a_price_of_its_item"):
        insert_item(rows, "add-on", effective_from=NOON + DAY, effective_to=None, price_id=plan.price_id)
    insert_item(rows, "add-on", effective_from=NOON + DAY, effective_to=None)
    with refused_by("one_open_row_of_an_item_per_subscription"):
        insert_item(rows, "plan", effective_from=NOON + DAY, effective_to=None, kind="add-on", item_id=extra.item_id,
                    version_id=extra.version_id, price_id=extra.price_id)  # fmt: skip
    for statement in ("DELETE FROM subscription_items", "TRUNCATE subscription_items"):
        with refused_by(NO_PRIVILEGE):
            execute(statement)
    assert SubscriptionItem.objects.filter(subscription=rows).count() == 3


def test_a_subscription_keeps_its_rules(cast: Cast, rows: Subscription) -> None:
    def updated(values: str, *parameters: Any) -> None:
        execute(f"UPDATE subscriptions SET {values} WHERE id = %s", [*parameters, rows.pk])

    for column, value in (("organization_id", cast.strangers.pk), ("created_at", NOON - DAY), ("id", 10**9)):
        with refused_by("subscriptions_move_by_their_states"):
            updated(f"{column} = %s", value)
    with refused_by("subscription_account_of_the_organization"):
        updated("billing_account_id = %s", cast.foreign.pk)
    with refused_by("subscription_status_has_its_times"):
        updated("status = 'suspended'")
    with refused_by("subscription_status_has_its_times"):
        updated("suspended_at = now()")
    with refused_by("subscriptions_move_by_their_states"):
        updated("status = 'canceled', suspended_at = now(), canceled_at = now()")
    with refused_by("subscription_period_has_length"):
        updated("period_end = period_start")
    with refused_by("subscriptions_organization_id_key"), transaction.atomic():
        raw(cast.acme, "active")
    for statement in ("DELETE FROM subscriptions", "TRUNCATE subscriptions CASCADE"):
        with refused_by(NO_PRIVILEGE):
            execute(statement)
    for statement in ("DELETE FROM quotas_historicalsubscription", "UPDATE quotas_historicalsubscription SET id = 1"):
        with refused_by(NO_PRIVILEGE):
            execute(statement)


def test_the_plan_of_a_subscription_is_that_of_its_open_item(cast: Cast) -> None:
    publish()
    held = assign(cast.acme, "pro-pool")
    other = CatalogItem.objects.get(code="dev-pool").pk
    for plan in (str(other), "NULL"):
        with refused_by("plan_is_of_the_open_item"):
            execute(f"UPDATE subscriptions SET plan_id = {plan} WHERE id = {held.pk}")
    assign(cast.acme, "dev-pool")
    held.refresh_from_db()
    assert held.plan_id == other
