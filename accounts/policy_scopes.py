"""Whom a policy is set for, and which scopes apply to whom.

People, projects and organizations register in `policy_subjects`. Plans belong to a room to the right, which registers
them with `register_subject`, and who holds which with `register_plan_of`. What else a policy may be asked for (an
account, an allocation) is found through `register_finder`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.errors import NotFound, PolicyInvalid
from accounts.models import BillingAccount, Organization, PolicyScope
from accounts.public_ids import decode, encode

_LARGEST = 2**63 - 1
WORDS = {
    "user": "person",
    "project": "project",
    "tenant": "organization",
    "plan": "plan",
    "global": "everyone",
    "default": "shipped default",
}


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
class Subject:
    """Whom a policy is asked for. `own` is the scope and id whose values are set for exactly this subject."""

    word: str
    public_id: str
    name: str
    scope: Scope
    currency: str | None = None  # None where several apply, or none
    own: tuple[str, int | None] | None = None

    def __str__(self) -> str:
        return self.name if self.name == self.word else f"{self.word} {self.name}"


@dataclass(frozen=True)
class _Kind:
    exists: Callable[[int], bool]
    prefix: str
    name: Callable[[int], str]


EVERYONE = Subject("everyone", "", "everyone", Scope(), own=("global", None))
_kinds: dict[str, _Kind] = {}
_finders: dict[str, Callable[[int], Subject | None]] = {}
_plan_of: list[Callable[[int], int | None]] = []


def register_subject(
    scope: str, exists: Callable[[int], bool], *, prefix: str = "", name: Callable[[int], str] = str
) -> None:
    """Let values be set for the ids of a scope that `exists` knows; with a prefix they are found by public id too."""
    _kinds[scope] = _Kind(exists, prefix, name)


def register_finder(prefix: str, find: Callable[[int], Subject | None]) -> None:
    """Let a policy be asked for by the public ids of this prefix."""
    _finders[prefix] = find


def register_plan_of(plan_of: Callable[[int], int | None]) -> None:
    """Say how the plan of an organization is found: a room to the right has the subscriptions."""
    _plan_of[:] = [plan_of]


def account_scope(account: BillingAccount) -> Scope:
    """Keys of a balance: `user` means the owner of a personal organization."""
    return organization_scope(account.organization)


def organization_scope(organization: Organization) -> Scope:
    """The owner of a personal organization, the organization, its plan."""
    return scope_with_plan(organization, next((plan_of(organization.pk) for plan_of in _plan_of), None))


def scope_with_plan(organization: Organization, plan_id: int | None) -> Scope:
    """As organization_scope, where the plan is known already."""
    owner = organization.owner_id if organization.personal else None
    return Scope(user_id=owner, tenant_id=organization.pk, plan_id=plan_id)


def check_subject(scope: str, scope_id: int | None) -> None:
    """Raises PolicyInvalid where scope and id do not fit, NotFound."""
    if (scope == PolicyScope.GLOBAL) != (scope_id is None):
        raise PolicyInvalid("a global value names no subject, any other names one", field="scope_id")
    if scope_id is None:
        return
    kind = _kinds[scope]
    if not isinstance(scope_id, int) or not 0 < scope_id <= _LARGEST or not kind.exists(scope_id):
        raise NotFound(f"no such {WORDS[scope]}", field="scope_id")


def subject_at(scope: str, scope_id: int | None) -> Subject:
    """The subject whose own values a scope and id hold. Raises as check_subject."""
    check_subject(scope, scope_id)
    if scope_id is None:
        return EVERYONE
    kind = _kinds[scope]
    found = _finders[kind.prefix](scope_id) if kind.prefix in _finders else _plain(scope, kind, scope_id)
    if found is None:
        raise NotFound(f"no such {WORDS[scope]}", field="scope_id")
    return found


def subject_id(scope: str, public_id: str) -> int | None:
    """The id that a public id names at this scope; None for everyone. Raises as check_subject."""
    if scope not in PolicyScope.values:
        raise PolicyInvalid(f"a scope is one of {', '.join(PolicyScope.values)}", field="scope")
    if scope == PolicyScope.GLOBAL:
        check_subject(scope, 0 if public_id else None)
        return None
    key = decode(_kinds[scope].prefix, public_id)
    check_subject(scope, key or 0)
    return key


def public_id_at(scope: str, scope_id: int | None) -> str:
    """The public id of whom a value is set for; empty for everyone, and where ids of that scope have none."""
    kind = _kinds.get(scope)
    return encode(kind.prefix, scope_id) if kind and kind.prefix and scope_id else ""


def find_subject(public_id: str) -> Subject:
    """Whom or what a public id names, everyone where it is empty. Raises NotFound."""
    if not public_id:
        return EVERYONE
    prefix = public_id.partition("_")[0]
    key = decode(prefix, public_id)
    found = None
    if key and prefix in _finders:
        found = _finders[prefix](key)
    elif key:
        scope = next((scope for scope, kind in _kinds.items() if kind.prefix == prefix), None)
        found = _plain(scope, _kinds[scope], key) if scope and _kinds[scope].exists(key) else None
    if found is None:
        raise NotFound("no such subject of a policy", field="subject")
    return found


def _plain(scope: str, kind: _Kind, key: int) -> Subject:
    public_id = encode(kind.prefix, key) if kind.prefix else str(key)
    ids: dict[str, Any] = {f"{scope}_id": key}
    return Subject(WORDS[scope], public_id, kind.name(key), Scope(**ids), own=(scope, key))
