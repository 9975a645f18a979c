"""The audit trail: one append-only row for each act on money, terms or permissions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.correlation import current_correlation_id
from accounts.errors import ReasonRequired
from accounts.models import AuditLog, BillingAccount, User


@dataclass(frozen=True)
class Actor:
    """Who acts: a user, or by name a part of the system or an API key (its public id)."""

    kind: str
    name: str
    user_id: int | None = None

    @property
    def label(self) -> str:
        return f"{self.kind}:{self.user_id or self.name}"


def person(user: User) -> Actor:
    return Actor("user", user.email, user.pk)


def system(name: str) -> Actor:
    return Actor("system", name)


def require_reason(reason: str) -> str:
    """A reason of 3 to 2,000 characters, trimmed. Raises ReasonRequired."""
    reason = reason.strip()
    if not 3 <= len(reason) <= 2000 or "\x00" in reason:
        raise ReasonRequired("say why, in 3 to 2,000 characters")
    return reason


def optional_reason(reason: str | None) -> str:
    """A whole reason where one is given; staff give one, customers and the platform need not. Raises ReasonRequired."""
    return "" if reason is None else require_reason(reason)


def record(
    actor: Actor,
    action: str,
    *,
    subject: tuple[str, int | None],
    at: datetime,
    reason: str = "",
    account: BillingAccount | None = None,
    organization_id: int | None = None,
    old_balance: int | None = None,
    new_balance: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditLog:
    """Write one audit row in the caller's transaction. Balances are minor units of the account's currency."""
    return AuditLog.objects.create(
        actor_id=actor.user_id,
        actor_kind=actor.kind if actor.user_id else actor.name[:32],
        action=action,
        subject_type=subject[0],
        subject_id=subject[1],
        organization_id=account.organization_id if account else organization_id,
        billing_account=account,
        reason=reason,
        old_balance=old_balance,
        new_balance=new_balance,
        before=before,
        after=after,
        correlation_id=current_correlation_id(),
        at=at,
    )
