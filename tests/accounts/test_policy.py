"""Which policy is in force: the most specific scope that is set, at once, of the right type, with its history."""

from typing import Any

import pytest

from accounts.errors import CurrencyUnknown, PolicyInvalid, ReasonRequired
from accounts.lifecycle import open_billing_account, open_organization
from accounts.models import AuditLog, PolicyValue
from accounts.policy import (
    Scope,
    account_scope,
    check_value,
    effective,
    explain,
    on_change,
    set_value,
    within_limit,
)
from accounts.policy_keys import KEYS
from tests.accounts.plan_catalog import open_plan
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import execute, refused_by

EVERY_SCOPE = "allocation.refund_window_days"
pytestmark = pytest.mark.django_db


def put(key: str, value: object, scope: str = "global", scope_id: int | None = None) -> PolicyValue:
    return set_value(key, value, scope=scope, scope_id=scope_id, actor=ACTOR, reason="for a test", at=NOON)


def test_without_any_value_the_default_is_in_force() -> None:
    found = explain(EVERY_SCOPE)
    assert (found.value, found.scope, found.scope_id) == (30, "default", None)


def test_the_most_specific_scope_wins(cast: Cast) -> None:
    open_plan(5)
    subjects = {
        "global": None,
        "plan": 5,
        "tenant": cast.acme.pk,
        "project": cast.project.pk,
        "user": cast.alice.pk,
    }
    scope = Scope(cast.alice.pk, cast.project.pk, cast.acme.pk, 5)
    for days, (word, scope_id) in enumerate(subjects.items(), start=1):
        put(EVERY_SCOPE, days, word, scope_id)
        found = explain(EVERY_SCOPE, scope)
        assert (found.value, found.scope, found.scope_id) == (days, word, scope_id)


def test_values_of_other_subjects_have_no_bearing(cast: Cast) -> None:
    put(EVERY_SCOPE, 9, "tenant", cast.strangers.pk)
    put(EVERY_SCOPE, 8, "user", cast.charlie.pk)
    assert effective(EVERY_SCOPE, Scope(user_id=cast.alice.pk, tenant_id=cast.acme.pk)) == 30


def test_the_same_number_in_another_scope_has_no_bearing(cast: Cast) -> None:
    put(EVERY_SCOPE, 9, "project", cast.project.pk)
    assert effective(EVERY_SCOPE, Scope(tenant_id=cast.project.pk, user_id=cast.project.pk)) == 30


def test_a_scope_that_the_key_does_not_have_is_not_read(cast: Cast) -> None:
    PolicyValue.objects.create(
        key="billing.window_seconds", scope="user", scope_id=cast.alice.pk, value=7, updated_at=NOON
    )
    assert effective("billing.window_seconds", Scope(user_id=cast.alice.pk)) == 60


def test_a_change_is_in_force_at_the_next_read_without_a_restart(cast: Cast) -> None:
    for days in (5, 6, 7):
        put(EVERY_SCOPE, days)
        assert effective(EVERY_SCOPE) == days
    assert PolicyValue.objects.filter(key=EVERY_SCOPE).count() == 1


def test_a_change_leaves_its_history_and_its_audit_row(cast: Cast) -> None:
    row = put(EVERY_SCOPE, 5, "tenant", cast.acme.pk)
    put(EVERY_SCOPE, 6, "tenant", cast.acme.pk)
    kept = row.history.order_by("history_id").values_list("value", "history_type", "history_change_reason")
    assert list(kept) == [(5, "+", "for a test"), (6, "~", "for a test")]
    first, second = AuditLog.objects.filter(action="policy.set").order_by("id")
    assert (first.before["value"], first.after["value"]) == (None, 5)
    assert (second.before["value"], second.after["value"]) == (5, 6)
    assert (second.reason, second.organization_id, second.at) == ("for a test", cast.acme.pk, NOON)


def test_whoever_listens_hears_of_a_change_in_its_transaction(cast: Cast) -> None:
    heard: list[object] = []

    def listen(row: PolicyValue) -> None:
        heard.append(row.value)

    on_change(EVERY_SCOPE, listen)
    on_change(EVERY_SCOPE, listen)
    put(EVERY_SCOPE, 5)
    assert heard == [5]


@pytest.mark.parametrize("key", ["billing.windows", "", "BILLING.WINDOW_SECONDS"])
def test_an_unknown_key_is_refused(key: str) -> None:
    for act in (lambda: effective(key), lambda: put(key, 1)):
        with pytest.raises(PolicyInvalid) as refused:
            act()
        assert (refused.value.code, refused.value.field) == ("policy_invalid", "key")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("billing.window_seconds", 0),
        ("billing.window_seconds", 86401),
        ("billing.window_seconds", "60"),
        ("billing.window_seconds", 60.0),
        ("billing.window_seconds", True),
        ("billing.window_seconds", None),
        ("billing.window_seconds", [60]),
        ("allocation.refund_window_days", -1),
        ("allocation.refund_window_days", 2**31),
        ("notification.low_balance_enabled", 1),
        ("notification.low_balance_enabled", "true"),
        ("billing.outage_tail", "forgive"),
        ("billing.outage_tail", "waive/bill"),
        ("billing.outage_tail", ["waive"]),
        ("quotas.alert_percent", []),
        ("quotas.alert_percent", [80, "95"]),
        ("quotas.alert_percent", 80),
        ("quotas.alert_percent", [1] * 21),
        ("billing.minimum_deposit_minor", -1),
        ("billing.minimum_deposit_minor", 10**15 + 1),
        ("billing.minimum_deposit_minor", 10.5),
        ("billing.minimum_deposit_minor", {"amount_minor": 5}),
        ("billing.minimum_deposit_minor", {"amount_minor": "5", "currency": "USD"}),
        ("billing.minimum_deposit_minor", {"amount_minor": 5, "currency": "USD", "more": 1}),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_refused(key: str, value: object) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        put(key, value)
    assert (refused.value.code, refused.value.field) == ("policy_invalid", "value")
    assert not PolicyValue.objects.exists()


def test_a_limit_in_an_unknown_currency_is_refused() -> None:
    for currency in ("usd", "XXX", 5, ["USD"]):
        with pytest.raises(CurrencyUnknown):
            put("billing.minimum_deposit_minor", {"amount_minor": 5, "currency": currency})


@pytest.mark.parametrize(
    ("scope", "scope_id", "field"),
    [("user", 1, "scope"), ("planet", 1, "scope"), ("global", 1, "scope_id"), ("tenant", None, "scope_id")],
)
def test_a_scope_that_does_not_fit_the_key_is_refused(scope: str, scope_id: int | None, field: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        put("billing.window_seconds", 60, scope, scope_id)
    assert refused.value.field == field


@pytest.mark.parametrize("reason", ["", "  ", "no", "x" * 2001, "be\x00ll"])
def test_a_change_needs_a_reason(reason: str) -> None:
    with pytest.raises(ReasonRequired) as refused:
        set_value(EVERY_SCOPE, 5, scope="global", scope_id=None, actor=ACTOR, reason=reason, at=NOON)
    assert (refused.value.code, refused.value.field) == ("reason_required", "reason")


@pytest.mark.parametrize(
    ("scope", "scope_id", "rule"),
    [
        ("global", 1, "policy_global_has_no_scope_id"),
        ("tenant", None, "policy_global_has_no_scope_id"),
        ("planet", 1, "policy_values_scope_is_known"),
    ],
)
def test_the_database_refuses_a_scope_that_makes_no_sense(scope: str, scope_id: int | None, rule: str) -> None:
    with refused_by(rule):
        insert(scope, scope_id)


def test_the_database_keeps_one_value_for_each_scope() -> None:
    insert("global", None)
    with refused_by("policy_value_once_per_scope"):
        insert("global", None)


def insert(scope: str, scope_id: int | None) -> None:
    execute(
        "INSERT INTO policy_values (key, scope, scope_id, value, updated_at)"
        " VALUES ('billing.window_seconds', %s, %s, '60', now())",
        [scope, scope_id],
    )


@pytest.mark.parametrize(
    ("limit", "amount_minor", "currency", "within"),
    [
        (500, 500, "USD", True),
        (500, -500, "USD", True),
        (500, 501, "USD", False),
        (500, -501, "USD", False),
        (500, 500, "JPY", True),
        ({"amount_minor": 500, "currency": "EUR"}, 500, "EUR", True),
        ({"amount_minor": 500, "currency": "EUR"}, 501, "EUR", False),
        ({"amount_minor": 500, "currency": "EUR"}, 1, "USD", False),
    ],
)
def test_a_limit_binds_amounts_of_either_sign_in_its_currency(
    limit: object, amount_minor: int, currency: str, within: bool
) -> None:
    put("billing.maximum_deposit_minor", limit)
    assert within_limit("billing.maximum_deposit_minor", amount_minor, currency) is within


def test_user_means_the_owner_of_a_personal_organization(cast: Cast) -> None:
    personal = open_organization("Bob", "bob", owner=cast.bob, personal=True, at=NOON)
    account = open_billing_account(
        personal, cast.entity, "Bob", currency="USD", settlement="prepaid", actor=ACTOR, at=NOON
    )
    assert account_scope(account) == Scope(user_id=cast.bob.pk, tenant_id=personal.pk)
    assert account_scope(cast.prepaid) == Scope(tenant_id=cast.acme.pk)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_default_is_a_value_its_own_key_would_take(key: str) -> None:
    taken: Any = check_value(KEYS[key], KEYS[key].default)
    assert taken == KEYS[key].default
