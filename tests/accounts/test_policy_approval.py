"""Keys that guard money are only ever set with a second person, whoever sets them and however."""

import pytest
from django.contrib.auth.models import Group

from accounts import approvals, policy, policy_approval
from accounts.audit import Actor, person, system
from accounts.errors import ApprovalRequired, MakerIsChecker, NotFound, PolicyInvalid
from accounts.models import ApprovalRequest, AuditLog, PolicyValue, User
from accounts.policy_keys import KEYS
from tests.cast import NOON, Cast

GUARDED = sorted(name for name, key in KEYS.items() if key.needs_approval)


def proposal(key: str = "approvals.credit_minor", value: object = 500_000) -> dict[str, object]:
    return {"key": key, "value": value, "scope": "global", "scope_id": None}


def set_alone(actor: Actor, key: str, approval: ApprovalRequest | None = None) -> PolicyValue:
    return policy.set_value(
        key, KEYS[key].default, scope="global", scope_id=None, actor=actor, reason="alone", at=NOON, approval=approval
    )


def test_there_are_keys_that_guard_money() -> None:
    assert "approvals.credit_minor" in GUARDED


def test_nobody_sets_a_guarded_key_alone(cast: Cast) -> None:
    root = User.objects.create_superuser("root@countinghouse.example")
    for key in GUARDED:
        for actor in (person(cast.dana), person(root), system("demo"), system("replay")):
            with pytest.raises(ApprovalRequired):
                set_alone(actor, key)
    assert not PolicyValue.objects.exists()
    assert not AuditLog.objects.filter(action="policy.set").exists()


def test_a_second_person_puts_it_in_force(cast: Cast) -> None:
    outcome = approvals.submit(policy_approval.ACT, proposal(), maker=cast.dana, reason="growth", at=NOON)
    assert outcome.request is not None
    assert policy.effective("approvals.credit_minor") == 10_000
    cast.dana.groups.add(Group.objects.get(name="finance-approver"))
    with pytest.raises(MakerIsChecker):
        approvals.decide(outcome.request.pk, checker=cast.dana, approve=True, note="", at=NOON)
    approvals.decide(outcome.request.pk, checker=cast.erin, approve=True, note="", at=NOON)
    assert policy.effective("approvals.credit_minor") == 500_000
    assert PolicyValue.objects.get().history.count() == 1


def test_an_approval_lets_exactly_its_value_pass_and_once(cast: Cast) -> None:
    outcome = approvals.submit(policy_approval.ACT, proposal(), maker=cast.dana, reason="growth", at=NOON)
    assert outcome.request is not None
    pending = outcome.request
    with pytest.raises(ApprovalRequired):
        set_alone(person(cast.dana), "approvals.credit_minor", pending)
    decided = approvals.decide(pending.pk, checker=cast.erin, approve=True, note="", at=NOON)
    for key in ("approvals.credit_minor", "approvals.refund_minor"):
        with pytest.raises(ApprovalRequired):  # another value, another key
            set_alone(person(cast.dana), key, decided)
    with pytest.raises(ApprovalRequired):  # spent
        policy_approval.set_policy(proposal(), actor=person(cast.dana), reason="again", at=NOON, approval=decided)


def test_an_ordinary_key_is_set_at_once(cast: Cast) -> None:
    wanted = {"key": "quotas.projects_limit", "value": 7, "scope": "tenant", "scope_id": cast.acme.pk}
    outcome = approvals.submit(policy_approval.ACT, wanted, maker=cast.dana, reason="small", at=NOON)
    assert outcome.request is None
    assert policy.effective("quotas.projects_limit", policy.Scope(tenant_id=cast.acme.pk)) == 7


def test_a_value_of_the_wrong_type_is_not_even_filed(cast: Cast) -> None:
    for value in ("500", 1.5, True, -1, None, {"amount_minor": 5}):
        with pytest.raises(PolicyInvalid):
            approvals.submit(policy_approval.ACT, proposal(value=value), maker=cast.dana, reason="growth", at=NOON)
    foreign = {"key": "quotas.projects_limit", "value": 7, "scope": "tenant", "scope_id": 10**6}
    with pytest.raises(NotFound):
        approvals.submit(policy_approval.ACT, foreign, maker=cast.dana, reason="growth", at=NOON)
    plan = {"key": "allocation.refund_window_days", "value": 7, "scope": "plan", "scope_id": 1}
    with pytest.raises(NotFound):
        approvals.submit(policy_approval.ACT, plan, maker=cast.dana, reason="growth", at=NOON)
    assert not ApprovalRequest.objects.exists()
