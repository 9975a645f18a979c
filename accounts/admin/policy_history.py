"""The history of one key for one subject: who set it, when and why, the old value and the new one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.admin.policy_lines import Shown, shown
from accounts.models import PolicyValue, User
from accounts.policy_keys import PolicyKey
from accounts.policy_scopes import Subject

_PAGE = 50


@dataclass(frozen=True)
class Change:
    at: datetime
    who: str
    old: Shown | None
    new: Shown | None
    why: str


def changes_of(key: PolicyKey, subject: Subject, before: str) -> tuple[list[Change], str]:
    """A page of changes, and where the next begins; each row's old value is the new one of the row before it."""
    scope, scope_id = subject.own or ("global", None)
    kept = PolicyValue.history.filter(key=key.name, scope=scope, scope_id=scope_id).select_related("history_user")
    if before.isascii() and before.isdigit() and len(before) < 18:
        kept = kept.filter(history_id__lt=int(before))
    rows = list(kept.order_by("-history_id")[: _PAGE + 1])
    older = [*rows, None][1:]
    changes = [
        Change(
            row.history_date,
            _who(row.history_user),
            _kept(key, previous, subject),
            _kept(key, row, subject),
            row.history_change_reason or "",
        )
        for row, previous in zip(rows, older, strict=True)
    ]
    return changes[:_PAGE], str(rows[_PAGE - 1].history_id) if len(rows) > _PAGE else ""


def _who(user: User | None) -> str:
    """Staff by name, anybody else by id."""
    if user is None:
        return "the system"
    return str(user) if user.is_staff else user.public_id


def _kept(key: PolicyKey, row: Any, subject: Subject) -> Shown | None:
    """The value that a row of the history leaves behind; nothing where it was unset."""
    return None if row is None or row.history_type == "-" else shown(key, row.value, subject.currency)
