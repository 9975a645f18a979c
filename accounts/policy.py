"""Policies: which value is in force for a subject, and where it comes from. Nothing is cached: a change is at once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.approval_grants import grants
from accounts.audit import Actor, record, require_reason
from accounts.currencies import MAXIMUM_MINOR, exponent
from accounts.errors import ApprovalRequired, Conflict, NotFound, PolicyInvalid, constraints
from accounts.models import ApprovalRequest, BillingAccount, Organization, PolicyScope, PolicyValue
from accounts.policy_keys import KEYS, PolicyKey


@dataclass(frozen=True)
class Scope:
    """The ids that apply to a subject, built by the caller; None where a scope has no bearing."""

    user_id: int | None = None
    project_id: int | None = None
    tenant_id: int | None = None
    plan_id: int | None = None

    def candidates(self) -> list[tuple[str, int | None]]:
        """Most specific first, the global value last."""
        ids = (
            ("user", self.user_id),
            ("project", self.project_id),
            ("tenant", self.tenant_id),
            ("plan", self.plan_id),
        )
        return [(scope, key) for scope, key in ids if key is not None] + [("global", None)]


@dataclass(frozen=True)
class Effective:
    """A value in force and the scope it comes from (`default` where nobody set one)."""

    value: Any
    scope: str
    scope_id: int | None


GLOBAL = Scope()
SET_ACT = "accounts.set_policy"
_listeners: defaultdict[str, list[Callable[[PolicyValue], None]]] = defaultdict(list)


def account_scope(account: BillingAccount) -> Scope:
    """Keys of a balance: `user` means the owner of a personal organization."""
    organization = account.organization
    return Scope(user_id=organization.owner_id if organization.personal else None, tenant_id=organization.pk)


def explain(key: str, scope: Scope = GLOBAL, *, currency: str | None = None) -> Effective:
    """The value in force and its source; with a currency, money comes as minor units of it. Raises PolicyInvalid."""
    policy_key = _known(key)
    rows = {(row.scope, row.scope_id): row.value for row in PolicyValue.objects.filter(key=key) if _applies(row, scope)}
    return _resolve(policy_key, rows, scope, currency)


def effective(key: str, scope: Scope = GLOBAL, *, currency: str | None = None) -> Any:
    """The value in force. Raises PolicyInvalid for an unknown key."""
    return explain(key, scope, currency=currency).value


def effective_many(keys: Sequence[str], subjects: Mapping[int, tuple[Scope, str]]) -> dict[int, dict[str, Any]]:
    """The values in force for many subjects in one query, by the subjects' own ids; each with its scope and currency.

    A monetary value comes as minor units of the subject's currency. Raises PolicyInvalid for an unknown key.
    """
    known = [_known(key) for key in keys]
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for scope, _ in subjects.values():
        for name, scope_id in scope.candidates():
            if scope_id is not None:
                wanted[name].add(scope_id)
    applies = Q(scope=PolicyScope.GLOBAL)
    for name, ids in wanted.items():
        applies |= Q(scope=name, scope_id__in=ids)
    rows: defaultdict[str, dict[tuple[str, int | None], Any]] = defaultdict(dict)
    for row in PolicyValue.objects.filter(applies, key__in=keys):
        rows[row.key][row.scope, row.scope_id] = row.value
    return {
        subject: {key.name: _resolve(key, rows[key.name], scope, currency).value for key in known}
        for subject, (scope, currency) in subjects.items()
    }


def _resolve(
    key: PolicyKey, rows: Mapping[tuple[str, int | None], Any], scope: Scope, currency: str | None
) -> Effective:
    """The most specific value that applies; money in another currency than the subject's does not."""
    for candidate in scope.candidates():
        if candidate[0] not in key.scopes or candidate not in rows:
            continue
        value = rows[candidate]
        if currency is None or not isinstance(value, dict):
            return Effective(value, *candidate)
        if value["currency"] == currency:
            return Effective(value["amount_minor"], *candidate)
    return Effective(key.default, "default", None)


def within_limit(key: str, amount_minor: int, currency: str, scope: Scope = GLOBAL) -> bool:
    """Whether |amount| stays at or below a money policy; a limit in another currency lets nothing pass."""
    limit = effective(key, scope)
    if isinstance(limit, dict):
        return bool(limit["currency"] == currency and abs(amount_minor) <= limit["amount_minor"])
    return bool(abs(amount_minor) <= limit)


def on_change(key: str, listener: Callable[[PolicyValue], None]) -> None:
    """Call `listener` in the transaction of every change of a key; for rooms that keep hints derived from it."""
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
    """Set a policy for one scope, audited and historised, in force at the next read.

    Raises PolicyInvalid (unknown key, scope or wrong type), ReasonRequired, and ApprovalRequired for the keys that
    guard money where no second person approved exactly this value: no actor, the system included, sets those alone.
    """
    policy_key = _known(key)
    if scope not in policy_key.scopes:
        raise PolicyInvalid(f"{key} has no {scope} scope", field="scope")
    if (scope == PolicyScope.GLOBAL) != (scope_id is None):
        raise PolicyInvalid("a global value names no subject, any other names one", field="scope_id")
    if scope == PolicyScope.TENANT and not Organization.objects.filter(pk=scope_id or 0).exists():
        raise NotFound("no such organization", field="scope_id")
    checked = check_value(policy_key, value)
    reason = require_reason(reason)
    proposal = {"key": key, "value": checked, "scope": scope, "scope_id": scope_id}
    if policy_key.needs_approval and not grants(approval, SET_ACT, proposal):
        raise ApprovalRequired(f"{key} guards money; a second person must approve it", field="value")
    row = PolicyValue.objects.select_for_update().filter(key=key, scope=scope, scope_id=scope_id).first()
    before = row.value if row else None
    row = row or PolicyValue(key=key, scope=scope, scope_id=scope_id)
    row.value, row.updated_at = checked, at
    row._change_reason = reason[:100]  # type: ignore[attr-defined]  # django-simple-history's door
    raced = Conflict("somebody else set this value at the same moment; look again", field="value")
    with constraints({"policy_value_once_per_scope": raced}):
        row.save()
    record(
        actor,
        "policy.set",
        subject=("policy_value", row.pk),
        at=at,
        reason=reason,
        organization_id=scope_id if scope == PolicyScope.TENANT else None,
        before={"key": key, "scope": scope, "value": before},
        after={"key": key, "scope": scope, "value": checked},
    )
    for listener in _listeners[key]:
        listener(row)
    return row


def check_value(key: PolicyKey, value: object) -> Any:
    """The value if it is of the key's type and range. Raises PolicyInvalid."""
    if not _fits(key, value):
        raise PolicyInvalid(f"{key.name} takes {key.kind}, not {value!r}"[:200])
    return value


def _fits(key: PolicyKey, value: object) -> bool:
    match key.kind:
        case "bool":
            return isinstance(value, bool)
        case "int":
            return _whole(value, key.minimum, key.maximum)
        case "ints":
            return isinstance(value, list) and 0 < len(value) <= 20 and all(_whole(item, 0, 10_000) for item in value)
        case "money":
            return _money(value)
        case words:
            return isinstance(value, str) and value in words.split("/")


def _money(value: object) -> bool:
    """Minor units of whatever currency applies, or of a currency that is named."""
    if not isinstance(value, dict):
        return _whole(value, 0, MAXIMUM_MINOR)
    if set(value) != {"amount_minor", "currency"}:
        return False
    exponent(value["currency"])
    return _whole(value["amount_minor"], 0, MAXIMUM_MINOR)


def _known(key: str) -> PolicyKey:
    try:
        return KEYS[key]
    except KeyError:
        raise PolicyInvalid(f"there is no policy {key!r}"[:200], field="key") from None


def _applies(row: PolicyValue, scope: Scope) -> bool:
    return (row.scope, row.scope_id) in scope.candidates()


def _whole(value: object, minimum: int, maximum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum
