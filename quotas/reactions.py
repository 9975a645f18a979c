"""What this room does in the transaction of an act of another, or of its own when many organizations are concerned."""

from datetime import datetime
from typing import Any

from accounts.models import BillingAccount, Organization, PolicyScope, PolicyValue
from quotas import limits
from quotas.models import Limit, LimitKind, Subscription, SubscriptionStatus
from quotas.subscription_states import PAYING
from quotas.subscription_terms import follow_what_is_sold
from quotas.subscriptions import ACTOR, move


def catalog_published(*, existing: str, at: datetime, **_: Any) -> None:
    """Overhead, suspended plan and switches hold for everyone at once; terms only where the publication says so."""
    if existing == "move":
        follow_what_is_sold(at)
    limits.mark_everyone(at=at)


def enforcement_changed(*, subject: BillingAccount | Organization, at: datetime) -> None:
    """Limits follow the level."""
    if isinstance(subject, Organization):
        limits.mark_due([subject.pk], at=at)
    else:
        paid = Subscription.objects.filter(billing_account=subject).values_list("organization_id", flat=True)
        limits.mark_due(paid, at=at)


def organization_closed(*, organization: Organization, at: datetime) -> None:
    """A closed organization holds no plan and has no limits: its projects' own go too. Its lock is held."""
    held = Subscription.objects.filter(organization=organization, status__in=PAYING).first()
    if held:
        move(held.pk, SubscriptionStatus.SUSPENDED, actor=ACTOR, reason="the organization was closed", at=at)
    Limit.objects.filter(organization=organization, kind=LimitKind.PROJECT_QUOTA).delete()
    limits.recompute([organization.pk], at=at)


def projects_limit_changed(row: PolicyValue) -> None:
    """Overhead counts projects."""
    if row.scope == PolicyScope.TENANT and row.scope_id:
        limits.mark_due([row.scope_id], at=row.updated_at)
    else:
        limits.mark_everyone(at=row.updated_at, plan_id=row.scope_id if row.scope == PolicyScope.PLAN else None)
