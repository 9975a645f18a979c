"""Setting a policy and unsetting it: audited, historised, in force at the next read."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.approval_grants import grants
from accounts.audit import Actor, record, require_reason
from accounts.errors import ApprovalRequired, Conflict, PolicyInvalid, constraints
from accounts.models import ApprovalRequest, PolicyScope, PolicyValue
from accounts.policy_keys import PolicyKey, check_value, known
from accounts.policy_scopes import check_subject
from accounts.signed_history import sign

SET_ACT = "accounts.set_policy"
UNSET_ACT = "accounts.unset_policy"
_listeners: defaultdict[str, list[Callable[[PolicyValue], None]]] = defaultdict(list)


def on_change(key: str, listener: Callable[[PolicyValue], None]) -> None:
    """Call `listener` in the transaction of every change of a key; for rooms that keep hints derived from it.

    It is given the row as set. For an unset it is given the row as it was, which is gone by then; `updated_at` is the
    moment of the change either way. What is in force after the change is what `effective` answers.
    """
    if listener not in _listeners[key]:
        _listeners[key].append(listener)


@transaction.atomic
def set_value(
    key: str,
    value: object,
    *,
    scope: str,
    scope_id: int | None,
    actor: Actor,
    reason: str,
    at: datetime,
    approval: ApprovalRequest | None = None,
) -> PolicyValue:
    """Set a policy for one scope. Money is minor units, of the currency it names or of whichever applies.

    Raises PolicyInvalid (unknown key, wrong type, scope the key does not have), CurrencyUnknown, NotFound
    (no such subject), ReasonRequired, Conflict (set twice at one moment), and ApprovalRequired for the keys that guard
    money where no second person approved exactly this value: no actor, the system included, sets those alone.
    """
    policy_key = _checked(key, scope, scope_id)
    checked = check_value(policy_key, value)
    reason = require_reason(reason)
    proposal = {"key": key, "value": checked, "scope": scope, "scope_id": scope_id}
    _second_person(policy_key, SET_ACT, proposal, approval)
    row = _locked(key, scope, scope_id)
    before = row.value if row else None
    row = row or PolicyValue(key=key, scope=scope, scope_id=scope_id)
    row.value = checked
    _sign(row, actor, reason, at, approval)
    raced = Conflict("somebody else set this value at the same moment; look again", field="value")
    with constraints({"policy_value_once_per_scope": raced}):
        row.save()
    _tell(row, "policy.set", actor, reason, approval, before=before, after=checked)
    return row


@transaction.atomic
def unset_value(
    key: str,
    *,
    scope: str,
    scope_id: int | None,
    actor: Actor,
    reason: str,
    at: datetime,
    approval: ApprovalRequest | None = None,
) -> PolicyValue:
    """Take a value back, so that the wider scope or the default is in force; the row as it was.

    Raises what set_value raises, and Conflict (`not_set`) where nothing is set for this scope.
    """
    policy_key = _checked(key, scope, scope_id)
    reason = require_reason(reason)
    row = _locked(key, scope, scope_id)
    if row is None:
        raise Conflict("nothing is set here, so nothing is taken back", field="key", code="not_set")
    _second_person(policy_key, UNSET_ACT, {"key": key, "scope": scope, "scope_id": scope_id}, approval)
    _sign(row, actor, reason, at, approval)
    row_id = row.pk
    row.delete()
    row.pk = row_id
    _tell(row, "policy.unset", actor, reason, approval, before=row.value, after=None)
    return row


def _checked(key: str, scope: str, scope_id: int | None) -> PolicyKey:
    policy_key = known(key)
    if scope not in policy_key.scopes:
        raise PolicyInvalid(f"{key} has no {scope} scope", field="scope")
    check_subject(scope, scope_id)
    return policy_key


def _second_person(key: PolicyKey, act: str, proposal: dict[str, Any], approval: ApprovalRequest | None) -> None:
    if key.needs_approval and not grants(approval, act, proposal):
        raise ApprovalRequired(f"{key.name} guards money; a second person must approve it", field="value")


def _locked(key: str, scope: str, scope_id: int | None) -> PolicyValue | None:
    return PolicyValue.objects.select_for_update().filter(key=key, scope=scope, scope_id=scope_id).first()


def _sign(row: PolicyValue, actor: Actor, reason: str, at: datetime, approval: ApprovalRequest | None) -> None:
    """What the history keeps: who asked, why, when, and under which approval."""
    row.updated_at = at
    why = f"{reason} (approved: {approval.public_id})" if approval else reason
    sign(row, actor, why, at)


def _tell(
    row: PolicyValue,
    action: str,
    actor: Actor,
    reason: str,
    approval: ApprovalRequest | None,
    *,
    before: object,
    after: object,
) -> None:
    """The audit row, and whoever listens."""
    where = {"key": row.key, "scope": row.scope, "scope_id": row.scope_id}
    agreed = {"approval": approval.public_id} if approval else {}
    record(
        actor,
        action,
        subject=("policy_value", row.pk),
        at=row.updated_at,
        reason=reason,
        organization_id=row.scope_id if row.scope == PolicyScope.TENANT else None,
        before={**where, "value": before},
        after={**where, "value": after, **agreed},
    )
    for listener in _listeners[row.key]:
        listener(row)
