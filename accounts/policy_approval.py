"""Setting and unsetting a policy as acts: keys that guard money change only with a second person."""

from datetime import datetime
from typing import Any

from accounts import approvals, policy
from accounts.audit import Actor
from accounts.models import ApprovalRequest
from accounts.policy_keys import known
from accounts.policy_scopes import subject_at
from accounts.policy_text import show_value

ACT = policy.SET_ACT
UNSET_ACT = policy.UNSET_ACT


def set_policy(
    proposal: dict[str, Any], *, actor: Actor, reason: str, at: datetime, approval: ApprovalRequest | None = None
) -> dict[str, Any]:
    """Set a policy for one scope. Raises what policy.set_value raises."""
    row = policy.set_value(
        proposal["key"],
        proposal["value"],
        scope=proposal["scope"],
        scope_id=proposal["scope_id"],
        actor=actor,
        reason=reason,
        at=at,
        approval=approval,
    )
    return {"policy_value": row.pk}


def unset_policy(
    proposal: dict[str, Any], *, actor: Actor, reason: str, at: datetime, approval: ApprovalRequest | None = None
) -> dict[str, Any]:
    """Take a value back to the wider scope. Raises what policy.unset_value raises."""
    row = policy.unset_value(
        proposal["key"],
        scope=proposal["scope"],
        scope_id=proposal["scope_id"],
        actor=actor,
        reason=reason,
        at=at,
        approval=approval,
    )
    return {"policy_value": row.pk}


def describe(proposal: dict[str, Any]) -> approvals.Proposal:
    """For the people who decide."""
    subject = subject_at(proposal["scope"], proposal["scope_id"])
    value = show_value(known(proposal["key"]), proposal["value"], subject.currency)
    return approvals.Proposal(f"Set {proposal['key']} to {value} for {subject}", None, None, "")


def describe_unset(proposal: dict[str, Any]) -> approvals.Proposal:
    """For the people who decide."""
    subject = subject_at(proposal["scope"], proposal["scope_id"])
    return approvals.Proposal(f"Unset {proposal['key']} for {subject}", None, None, "")


def register() -> None:
    approvals.register(approvals.Act(ACT, set_policy, describe))
    approvals.register(approvals.Act(UNSET_ACT, unset_policy, describe_unset))
