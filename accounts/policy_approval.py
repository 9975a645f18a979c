"""Setting a policy as an act: keys that guard money are only ever set with a second person."""

from datetime import datetime
from typing import Any

from accounts import approvals, policy
from accounts.audit import Actor
from accounts.errors import NotFound, PolicyInvalid
from accounts.models import ApprovalRequest, Organization, PolicyScope

ACT = policy.SET_ACT


def set_policy(
    proposal: dict[str, Any], *, actor: Actor, reason: str, at: datetime, approval: ApprovalRequest | None = None
) -> dict[str, Any]:
    """Set a policy for one scope. Raises PolicyInvalid, ReasonRequired, NotFound, ApprovalRequired."""
    _organization(proposal)
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


def describe(proposal: dict[str, Any]) -> approvals.Proposal:
    """For the people who decide."""
    organization = _organization(proposal)
    where = f"for {organization.name}" if organization else "for everyone"
    return approvals.Proposal(f"Set {proposal['key']} to {proposal['value']} {where}", None, None, "")


def _organization(proposal: dict[str, Any]) -> Organization | None:
    if proposal["scope"] == PolicyScope.GLOBAL:
        return None
    if proposal["scope"] != PolicyScope.TENANT:
        raise PolicyInvalid("set it for everyone or for one organization", field="scope")
    organization = Organization.objects.filter(pk=proposal["scope_id"]).first()
    if organization is None:
        raise NotFound("no such organization", field="scope_id")
    return organization
