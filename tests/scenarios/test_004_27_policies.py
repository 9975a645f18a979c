"""004-27 and 004-28: every policy key at every scope it has, from wide to narrow and back, in force at once."""

import subprocess
import sys
from typing import Any

import pytest

from accounts import approvals, policy, policy_approval
from accounts.errors import PolicyInvalid
from accounts.lifecycle import open_billing_account, open_organization, open_project
from accounts.models import BillingAccount, PolicyScope, PolicyValue, Project
from accounts.policy import Scope, account_scope, effective, effective_many, explain
from accounts.policy_keys import KEYS, PolicyKey
from quotas.models import CatalogItem
from tests.accounts.plan_catalog import open_plan
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, successes

PLAN = 7
NARROW_TO_WIDE = ("user", "project", "tenant", "plan", "global")

# policies.md, as it stands there: type, default, scopes, and whether a second person is needed.
TABLE = """
billing.window_seconds                      | int         | 60           | tenant, plan, global
billing.low_balance_threshold_minor         | money       | 500          | user, tenant, plan, global
billing.minimum_deposit_minor               | money       | 1000         | tenant, plan, global
billing.maximum_deposit_minor               | money       | 100000       | tenant, plan, global
billing.auto_release_projection_seconds     | int         | 3600         | tenant, plan, global
billing.release_grace_seconds               | int         | 300          | tenant, plan, global
billing.outage_tail                         | waive/bill  | 'waive'      | tenant, global
billing.auto_topup_daily_ceiling_minor ‡    | money       | 50000        | tenant, plan, global
allocation.refund_window_days               | int         | 30           | user, project, tenant, plan, global
notification.low_balance_enabled            | bool        | True         | user, project, tenant, plan, global
notification.auto_release_pending_enabled   | bool        | True         | user, project, tenant, plan, global
notification.balance_depleted_enabled       | bool        | True         | user, project, tenant, plan, global
accounts.billing_accounts_per_organization  | int         | 1            | tenant, plan, global
accounts.api_key_longest_days               | int         | 365          | tenant, global
quotas.projects_limit                       | int         | 50           | tenant, plan, global
quotas.suspension_grace_days                | int         | 7            | tenant, plan, global
quotas.alert_percent                        | ints        | [80, 95]     | tenant, plan, global
quotas.proration                            | second/day  | 'second'     | plan, global
invoicing.draft_hours                       | int         | 24           | tenant, plan, global
invoicing.late_usage_days                   | int         | 30           | global
dunning.max_retries                         | int         | 4            | tenant, plan, global
dunning.retry_days                          | ints        | [1, 3, 5, 7] | tenant, plan, global
dunning.past_due_days                       | int         | 7            | tenant, plan, global
dunning.bad_debt_days                       | int         | 30           | tenant, plan, global
dunning.ban_amount_minor                    | money       | 100000       | tenant, global
approvals.refund_minor ‡                    | money       | 20000        | global
approvals.credit_minor ‡                    | money       | 10000        | global
approvals.write_off_minor ‡                 | money       | 5000         | global
approvals.catalog_publication ‡             | bool        | True         | global
approvals.expiry_hours                      | int         | 72           | global
"""
SAMPLES: dict[str, list[Any]] = {
    "bool": [False, True, False, True, False],
    "ints": [[5], [6], [7], [8], [9]],
    "int": [11, 12, 13, 14, 15],
    "money": [101, {"amount_minor": 202, "currency": "USD"}, 303, {"amount_minor": 404, "currency": "USD"}, 505],
    "waive/bill": ["bill", "waive"],
    "second/day": ["day", "second"],
}


@pytest.fixture(autouse=True)
def plan(cast: Cast) -> CatalogItem:
    return open_plan(PLAN)


@pytest.fixture
def bobs(cast: Cast) -> tuple[BillingAccount, Project]:
    """Bob's personal organization: an account, and a project."""
    personal = open_organization("Bob", "bob", owner=cast.bob, personal=True, at=NOON)
    account = open_billing_account(
        personal, cast.entity, "Bob", currency="USD", settlement="prepaid", actor=ACTOR, at=NOON
    )
    return account, open_project(personal, "Own", "own", at=NOON)


def change(cast: Cast, act: str, proposal: dict[str, Any]) -> None:
    """Dana does it; where it needs a second person, Erin agrees."""
    outcome = approvals.submit(act, proposal, maker=cast.dana, reason="for the table", at=NOON)
    assert bool(outcome.request) == KEYS[proposal["key"]].needs_approval
    if outcome.request:
        approvals.decide(outcome.request.pk, checker=cast.erin, approve=True, note="", at=NOON)


def test_the_keys_are_those_of_the_table() -> None:
    lines = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    table = {
        name.removesuffix(" ‡"): (kind, default, scopes, name.endswith("‡")) for name, kind, default, scopes in lines
    }
    built = {
        key.name: (key.kind, repr(key.default), ", ".join(key.scopes), key.needs_approval) for key in KEYS.values()
    }
    assert built == table


@pytest.mark.parametrize("name", sorted(KEYS))
def test_004_27_each_scope_is_in_force_over_the_wider_ones_and_gives_way_again(
    cast: Cast, bobs: tuple[BillingAccount, Project], name: str
) -> None:
    key, (account, project) = KEYS[name], bobs
    subject = Scope(cast.bob.pk, project.pk, project.organization_id, PLAN)
    ids = dict(zip(NARROW_TO_WIDE, (cast.bob.pk, project.pk, project.organization_id, PLAN, None), strict=True))
    stranger = Scope(cast.charlie.pk, cast.project.pk, cast.strangers.pk)
    expected: list[tuple[Any, str]] = [(key.default, "default")]
    for scope, value in zip(reversed(key.scopes), SAMPLES[key.kind], strict=False):
        assert in_force(key, subject) == expected[-1]
        change(cast, policy_approval.ACT, {"key": name, "value": value, "scope": scope, "scope_id": ids[scope]})
        expected.append((value["amount_minor"] if isinstance(value, dict) else value, scope))
        assert in_force(key, subject) == expected[-1]
        assert effective_many([name], {1: (subject, "USD")})[1][name] == expected[-1][0]
    widest = expected[1] if "global" in key.scopes else expected[0]
    assert in_force(key, stranger) == widest
    for scope in key.scopes:
        assert in_force(key, subject) == expected.pop()
        change(cast, policy_approval.UNSET_ACT, {"key": name, "scope": scope, "scope_id": ids[scope]})
    assert in_force(key, subject) == expected.pop() == (key.default, "default")
    assert not PolicyValue.objects.exists()
    assert PolicyValue.history.filter(key=name).count() == 2 * len(key.scopes)
    assert account_scope(account) == Scope(cast.bob.pk, None, project.organization_id)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_004_27_a_scope_that_a_key_does_not_have_is_refused(cast: Cast, name: str) -> None:
    ids = {"user": cast.bob.pk, "project": cast.project.pk, "tenant": cast.acme.pk, "plan": PLAN, "global": None}
    for scope in set(PolicyScope.values) - set(KEYS[name].scopes):
        for act in (policy_approval.ACT, policy_approval.UNSET_ACT):
            proposal = {"key": name, "value": KEYS[name].default, "scope": scope, "scope_id": ids[scope]}
            with pytest.raises(PolicyInvalid) as refused:
                approvals.submit(act, proposal, maker=cast.dana, reason="for the table", at=NOON)
            assert refused.value.field == "scope"
    assert not PolicyValue.objects.exists()


def test_004_27_a_narrow_amount_in_another_currency_lets_the_wider_one_stand(cast: Cast) -> None:
    key, subject = "billing.low_balance_threshold_minor", Scope(tenant_id=cast.acme.pk)
    put(key, {"amount_minor": 900, "currency": "EUR"}, "tenant", cast.acme.pk)
    put(key, 800)
    assert [effective(key, subject, currency=code) for code in ("EUR", "USD", "JPY")] == [900, 800, 800]
    put(key, {"amount_minor": 800, "currency": "JPY"})
    assert [effective(key, subject, currency=code) for code in ("EUR", "USD", "JPY")] == [900, 500, 800]


def test_004_28_a_running_process_sees_a_change_at_its_next_read(
    committed_db: str, process_environment: dict[str, str], cast: Cast
) -> None:
    reader = (
        "import sys\n"
        "from accounts.policy import Scope, explain\n"
        f"scope = Scope(project_id={cast.project.pk}, tenant_id={cast.acme.pk})\n"
        "for line in sys.stdin:\n"
        "    found = explain('allocation.refund_window_days', scope)\n"
        "    print(f'RESULT {found.value} {found.scope}', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", reader],
        env=process_environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout

    def read() -> str:
        print("read", file=process.stdin, flush=True)
        line = ""
        while not line.startswith("RESULT"):
            line = process.stdout.readline()  # type: ignore[union-attr]
            assert line, "the reader ended"
        return line.removeprefix("RESULT ").strip()

    key = "allocation.refund_window_days"
    try:
        assert read() == "30 default"
        put(key, 20)
        assert read() == "20 global"
        put(key, 10, "tenant", cast.acme.pk)
        assert read() == "10 tenant"
        put(key, 5, "project", cast.project.pk)
        assert read() == "5 project"
        for scope, scope_id, seen in (
            ("tenant", cast.acme.pk, "5 project"),
            ("project", cast.project.pk, "20 global"),
            ("global", None, "30 default"),
        ):
            policy.unset_value(key, scope=scope, scope_id=scope_id, actor=ACTOR, reason="no longer", at=NOON)
            assert read() == seen
    finally:
        process.stdin.close()
        process.wait(timeout=20)


def test_004_28_racing_sets_leave_one_value_and_a_history_without_gaps(committed_db: str, cast: Cast) -> None:
    key = "allocation.refund_window_days"

    def setter(days: int) -> Any:
        return lambda: put(key, days, "tenant", cast.acme.pk)

    first = race(*[setter(days) for days in range(1, 7)])
    assert successes(first)
    assert {getattr(error, "code", error) for error in failures(first)} <= {"conflict"}
    second = race(*[setter(days) for days in range(11, 17)])
    assert failures(second) == []  # the row is there: each waits for the one before
    row = PolicyValue.objects.get()
    values = list(PolicyValue.history.order_by("history_id").values_list("value", flat=True))
    assert len(values) == len(successes(first)) + 6
    assert values[-1] == row.value == effective(key, Scope(tenant_id=cast.acme.pk))


def test_004_28_of_racing_unsets_one_has_an_effect(committed_db: str, cast: Cast) -> None:
    key = "allocation.refund_window_days"
    put(key, 3)

    def unset() -> Any:
        return policy.unset_value(key, scope="global", scope_id=None, actor=ACTOR, reason="no longer", at=NOON)

    results = race(*[unset] * 4)
    assert len(successes(results)) == 1
    assert {getattr(error, "code", error) for error in failures(results)} == {"not_set"}
    assert list(PolicyValue.history.order_by("history_id").values_list("history_type", flat=True)) == ["+", "-"]
    mixed = race(unset, lambda: put(key, 4), unset, lambda: put(key, 5))
    codes = {getattr(error, "code", error) for error in failures(mixed)}
    assert codes <= {"not_set", "conflict"}
    left = PolicyValue.objects.first()
    last = PolicyValue.history.order_by("-history_id")[0]
    assert (left is None) == (last.history_type == "-")


def in_force(key: PolicyKey, subject: Scope) -> tuple[Any, str]:
    found = explain(key.name, subject, currency="USD" if key.kind == "money" else None)
    return found.value, found.scope


def put(key: str, value: object, scope: str = "global", scope_id: int | None = None) -> PolicyValue:
    return policy.set_value(key, value, scope=scope, scope_id=scope_id, actor=ACTOR, reason="for a test", at=NOON)
