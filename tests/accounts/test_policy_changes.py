"""Unsetting, whom a value may be set for, what the history keeps, and who hears of a change."""

from typing import Any

import pytest

from accounts import approvals, policy, policy_approval, policy_changes
from accounts.audit import person
from accounts.errors import ApprovalRequired, Conflict, DomainError, NotFound, PolicyInvalid, ReasonRequired
from accounts.models import ApprovalRequest, AuditLog, PolicyValue
from accounts.policy import Scope, effective, explain, set_value, unset_value
from accounts.policy_keys import KEYS, check_value
from accounts.policy_scopes import find_subject, subject_at, subject_id
from accounts.public_ids import encode
from tests.accounts.plan_catalog import open_plan
from tests.cast import ACTOR, NOON, Cast
from tests.row_counts import row_counts

KEY = "allocation.refund_window_days"
GUARDED = "approvals.credit_minor"
pytestmark = pytest.mark.django_db


def put(value: object, scope: str = "global", scope_id: Any = None, **changes: Any) -> PolicyValue:
    facts = {"key": KEY, "actor": ACTOR, "reason": "for a test", "at": NOON} | changes
    return set_value(facts.pop("key"), value, scope=scope, scope_id=scope_id, **facts)


def unset(scope: str = "global", scope_id: Any = None, **changes: Any) -> PolicyValue:
    facts = {"key": KEY, "actor": ACTOR, "reason": "no longer", "at": NOON} | changes
    return unset_value(facts.pop("key"), scope=scope, scope_id=scope_id, **facts)


def refused(act: Any) -> DomainError:
    """The act is refused and no table has moved."""
    before = row_counts()
    with pytest.raises(DomainError) as caught:
        act()
    assert row_counts() == before
    return caught.value


def test_an_unset_is_historised_and_audited(cast: Cast) -> None:
    row = put(5, "tenant", cast.acme.pk, actor=person(cast.dana))
    gone = unset("tenant", cast.acme.pk, actor=person(cast.dana), reason="no longer " * 100)
    assert (gone.pk, gone.value, gone.updated_at) == (row.pk, 5, NOON)
    assert not PolicyValue.objects.exists()
    kept = PolicyValue.history.order_by("history_id").values_list(
        "history_type", "value", "history_change_reason", "history_user", "history_date"
    )
    why = ("no longer " * 100).strip()
    assert list(kept) == [("+", 5, "for a test", cast.dana.pk, NOON), ("-", 5, why, cast.dana.pk, NOON)]
    audited = AuditLog.objects.get(action="policy.unset")
    place = {"key": KEY, "scope": "tenant", "scope_id": cast.acme.pk}
    assert (audited.before, audited.after) == ({**place, "value": 5}, {**place, "value": None})
    assert (audited.organization_id, audited.actor, audited.subject_id) == (cast.acme.pk, cast.dana, row.pk)


def test_the_system_is_nobody_in_the_history(cast: Cast) -> None:
    assert put(5).history.get().history_user is None


def test_what_is_not_set_is_not_unset(cast: Cast) -> None:
    put(5, "tenant", cast.strangers.pk)
    for scope, scope_id in (("global", None), ("tenant", cast.acme.pk), ("project", cast.project.pk)):
        error = refused(lambda scope=scope, scope_id=scope_id: unset(scope, scope_id))
        assert isinstance(error, Conflict)
        assert (error.code, error.field) == ("not_set", "key")


def test_whoever_listens_hears_of_an_unset_with_the_row_as_it_was(cast: Cast) -> None:
    heard: list[tuple[Any, ...]] = []
    later = NOON.replace(hour=13)

    def listen(row: PolicyValue) -> None:
        heard.append((row.pk, row.scope, row.scope_id, row.value, row.updated_at, effective(KEY)))

    policy.on_change(KEY, listen)
    row = put(5)
    unset(at=later)
    assert heard == [(row.pk, "global", None, 5, NOON, 5), (row.pk, "global", None, 5, later, 30)]


def test_what_a_listener_raises_undoes_the_change(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    put(5)

    def object_to(row: PolicyValue) -> None:
        raise Conflict("not now")

    monkeypatch.setitem(policy_changes._listeners, KEY, [object_to])
    refused(lambda: put(6))
    refused(unset)
    assert effective(KEY) == 5


def test_a_guarded_key_is_unset_by_two_people_alone(cast: Cast) -> None:
    proposal = {"key": GUARDED, "value": 500, "scope": "global", "scope_id": None}
    asked = approvals.submit(policy_approval.ACT, proposal, maker=cast.dana, reason="growth", at=NOON).request
    assert asked
    approvals.decide(asked.pk, checker=cast.erin, approve=True, note="", at=NOON)
    for actor in (person(cast.dana), ACTOR):
        assert isinstance(refused(lambda actor=actor: unset(key=GUARDED, actor=actor)), ApprovalRequired)
    back = {"key": GUARDED, "scope": "global", "scope_id": None}
    request = approvals.submit(policy_approval.UNSET_ACT, back, maker=cast.dana, reason="too much", at=NOON).request
    assert request
    assert effective(GUARDED) == 500
    for approval in (request, asked):  # pending; and approved, but for a set
        error = refused(lambda approval=approval: unset(key=GUARDED, actor=person(cast.dana), approval=approval))
        assert isinstance(error, ApprovalRequired)
    approvals.decide(request.pk, checker=cast.erin, approve=True, note="", at=NOON)
    assert effective(GUARDED) == 10_000
    whys = PolicyValue.history.order_by("history_id").values_list("history_change_reason", flat=True)
    assert list(whys) == [f"growth (approved: {asked.public_id})", f"too much (approved: {request.public_id})"]
    audited = AuditLog.objects.get(action="policy.unset")
    assert audited.after["approval"] == request.public_id
    assert audited.actor == cast.dana


def test_an_unset_that_has_nothing_to_take_back_is_not_filed(cast: Cast) -> None:
    back = {"key": GUARDED, "scope": "global", "scope_id": None}

    def file() -> Any:
        return approvals.submit(policy_approval.UNSET_ACT, back, maker=cast.dana, reason="growth", at=NOON)

    assert refused(file).code == "not_set"
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", "no", "x" * 2001, "be\x00ll"])
def test_an_unset_needs_a_reason(cast: Cast, reason: str) -> None:
    put(5)
    assert isinstance(refused(lambda: unset(reason=reason)), ReasonRequired)


def test_no_value_is_set_for_a_plan_that_is_not_there(cast: Cast) -> None:
    for act in (lambda: put(5, "plan", 3), lambda: unset("plan", 3)):
        assert isinstance(refused(act), NotFound)


def test_a_value_of_a_plan_is_resolved(cast: Cast) -> None:
    PolicyValue.objects.create(key=KEY, scope="plan", scope_id=3, value=9, updated_at=NOON)
    put(20)
    assert effective(KEY, Scope(plan_id=3)) == 9
    assert effective(KEY, Scope(plan_id=4)) == 20
    found = explain(KEY, Scope(tenant_id=cast.acme.pk, plan_id=3))
    assert (found.value, found.scope, found.scope_id) == (9, "plan", 3)
    put(8, "tenant", cast.acme.pk)
    assert effective(KEY, Scope(tenant_id=cast.acme.pk, plan_id=3)) == 8


def test_a_plan_is_found_by_its_public_id(cast: Cast) -> None:
    open_plan(3)
    put(9, "plan", 3)
    assert isinstance(refused(lambda: put(9, "plan", 4)), NotFound)
    subject = find_subject(encode("plan", 3))
    assert (str(subject), subject.own) == ("plan plan-3", ("plan", 3))
    assert subject_at("plan", 3) == subject
    with pytest.raises(NotFound):
        find_subject(encode("plan", 4))


@pytest.mark.parametrize("scope", ["user", "project", "tenant"])
@pytest.mark.parametrize("scope_id", [0, -1, 10**9, 2**63 - 1, 2**63, 10**40, "1", 1.0])
def test_nobody_is_set_a_value_who_does_not_exist(cast: Cast, scope: str, scope_id: Any) -> None:
    error = refused(lambda: put(5, scope, scope_id))
    assert isinstance(error, NotFound)
    assert error.field == "scope_id"


def test_an_id_of_one_kind_names_nothing_of_another(cast: Cast) -> None:
    ids = {"user": cast.bob.public_id, "project": cast.project.public_id, "tenant": cast.acme.public_id}
    for scope, own in ids.items():
        assert subject_id(scope, own) is not None
        for other in (*(value for key, value in ids.items() if key != scope), cast.prepaid.public_id, "", "acme"):
            with pytest.raises(NotFound):
                subject_id(scope, other)
    assert subject_id("global", "") is None
    for scope, public_id in (("global", cast.acme.public_id), ("planet", cast.acme.public_id)):
        with pytest.raises(PolicyInvalid):
            subject_id(scope, public_id)


BOUNDS = {
    "billing.window_seconds": (1, 86_400),
    "billing.auto_release_projection_seconds": (0, 2_592_000),
    "billing.release_grace_seconds": (0, 604_800),
    "allocation.refund_window_days": (0, 3650),
    "accounts.billing_accounts_per_organization": (0, 10_000),
    "accounts.api_key_longest_days": (1, 3650),
    "quotas.projects_limit": (0, 100_000),
    "quotas.suspension_grace_days": (0, 365),
    "invoicing.draft_hours": (0, 720),
    "invoicing.late_usage_days": (1, 366),
    "dunning.max_retries": (0, 20),
    "dunning.past_due_days": (0, 3650),
    "dunning.bad_debt_days": (0, 3650),
    "approvals.expiry_hours": (1, 8760),
    "billing.low_balance_threshold_minor": (0, 10**15),
    "billing.minimum_deposit_minor": (1, 10**15),
    "billing.maximum_deposit_minor": (1, 10**15),
    "billing.auto_topup_daily_ceiling_minor": (0, 10**15),
    "dunning.ban_amount_minor": (0, 10**15),
    "approvals.refund_minor": (0, 10**15),
    "approvals.credit_minor": (0, 10**15),
    "approvals.write_off_minor": (0, 10**15),
}


def test_every_number_has_its_bounds() -> None:
    assert set(BOUNDS) == {name for name, key in KEYS.items() if key.kind in ("int", "money")}
    for name, (least, most) in BOUNDS.items():
        for value in (least, most):
            assert check_value(KEYS[name], value) == value
        for value in (least - 1, most + 1, float(least + 1), str(least), True, None, 10**5000):
            with pytest.raises(PolicyInvalid):
                check_value(KEYS[name], value)
            if KEYS[name].kind == "money":
                with pytest.raises(PolicyInvalid):
                    check_value(KEYS[name], {"amount_minor": value, "currency": "USD"})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("quotas.alert_percent", ([1], [80, 95], list(range(1, 21)), [100]), ([0], [101], [95, 80], [80, 80], [80.0])),
        ("dunning.retry_days", ([1], [1, 365]), ([0], [366], [3, 1], [1, 1], [], [True], list(range(1, 22)), (1, 2))),
    ],
)
def test_lists_rise_within_their_bounds(name: str, good: tuple[Any, ...], bad: tuple[Any, ...]) -> None:
    for value in good:
        assert check_value(KEYS[name], value) == value
    for value in bad:
        with pytest.raises(PolicyInvalid):
            check_value(KEYS[name], value)
