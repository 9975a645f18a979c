"""Subscriptions: which plan and add-ons an organization holds, and in which state.

Every act locks the organization's row, writes the items, the state, the enforcement reason that follows from it and
the limits, the audit row and the message, in one transaction. `assign_plan` is the one way to change what is held.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from accounts import enforcement, policy, reactions
from accounts.audit import Actor, record, require_reason, system
from accounts.clock import check_moment
from accounts.errors import Conflict, DomainError, NotFound
from accounts.locking import lock_open_organization, lock_organization
from accounts.models import BillingAccount, Organization, Phase
from accounts.outbox import emit
from accounts.policy_scopes import organization_scope
from accounts.signed_history import save_signed
from quotas import topics
from quotas.billing_periods import Anchor, Interval, period_containing
from quotas.catalog.terms import Plan
from quotas.catalog_in_force import listed, terms_of
from quotas.limits import recompute
from quotas.models import ItemKind, Subscription
from quotas.models import SubscriptionStatus as Status
from quotas.subscription_items import choose, open_items, put
from quotas.subscription_states import HOLDS, MOVES, next_move_at

SOURCE = "subscription"
ACTOR = system("subscriptions")
CHANGED = "subscription.changed"
GRACE = "quotas.suspension_grace_days"


@transaction.atomic
def assign_plan(
    organization: Organization,
    plan: str,
    addons: Mapping[str, int],
    *,
    account: BillingAccount | None = None,
    interval: str = Interval.MONTH,
    time_zone: str = "UTC",
    newest: bool = False,
    actor: Actor,
    reason: str,
    at: datetime,
) -> Subscription:
    """Let an organization hold a plan and exactly these add-ons (code → how many) from `at` on.

    A first subscription begins a trial where the plan has one. A suspended or canceled one is active again, its period
    beginning at `at`. What is held already keeps its version and price unless `newest`. Without an account, it is
    paid by the organization's only open one that the plan has a price for, or by none.

    Raises NoCatalog, UnknownItem, NoPrice, QuantityInvalid, NotFound, Conflict (`addon_disabled`, `changed_later`,
    `closed`), TimeInvalid, ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    lock_open_organization(organization.pk)
    subscription = Subscription.objects.select_related("billing_account").filter(organization=organization).first()
    account = _payer(organization, plan, account or (subscription.billing_account if subscription else None))
    currency = account.currency if account else _first_currency(plan, subscription)
    held = open_items(subscription) if subscription else []
    before = state(subscription) if subscription else None
    chosen = choose(plan, addons, held=held, currency=currency, interval=interval, newest=newest)
    if subscription is None:
        terms = terms_of(chosen[0].version, ItemKind.PLAN)
        subscription = _begin(organization, terms, interval, time_zone, at)
    elif subscription.status in HOLDS:
        _restart(subscription, interval, at)
    elif subscription.interval != interval:
        raise Conflict("the interval changes with a new subscription only", field="interval", code="interval_fixed")
    subscription.billing_account, subscription.currency = account, currency
    _save(subscription, actor, reason, at)
    put(subscription, chosen, at=at)
    subscription.refresh_from_db()
    _follow(subscription, "subscription.assign", before, actor=actor, reason=reason, at=at)
    return subscription


@transaction.atomic
def move(subscription_id: int, status: str, *, actor: Actor, reason: str, at: datetime) -> Subscription:
    """Bring a subscription to another state: cancel at the period's end, suspend, past due, or back to active.

    From suspended or canceled to active is a re-subscription: plan and add-ons are as they were, a period begins.
    From canceling to active, a trial that has not ended goes on.
    Raises NotFound, Conflict (`wrong_status`, `changed_later`, `closed`), TimeInvalid, ReasonRequired.
    """
    at, reason = check_moment(at), require_reason(reason)
    subscription = locked(subscription_id)
    before = state(subscription)
    if status not in MOVES[subscription.status]:
        gone = f"a subscription does not go from {subscription.status} to {status}"
        raise Conflict(gone, field="status", code="wrong_status")
    if at < max(subscription.period_start, subscription.suspended_at or subscription.period_start):
        raise Conflict("the subscription was changed later than that", field="at", code="changed_later")
    if subscription.status in HOLDS and status == Status.ACTIVE:
        lock_open_organization(subscription.organization_id)
        _restart(subscription, subscription.interval, at)
    trial_ends_at = subscription.trial_ends_at
    if (subscription.status, status) == (Status.CANCELING, Status.ACTIVE) and trial_ends_at and at < trial_ends_at:
        status = Status.TRIALING
    subscription.status = status
    subscription.suspended_at = (
        (subscription.suspended_at or at) if status in (Status.SUSPENDED, Status.CANCELED) else None
    )
    subscription.canceled_at = at if status == Status.CANCELED else None
    _save(subscription, actor, reason, at)
    _follow(subscription, f"subscription.{status}", before, actor=actor, reason=reason, at=at)
    return subscription


def locked(subscription_id: int) -> Subscription:
    """A subscription under the lock of its organization. Raises NotFound."""
    found = Subscription.objects.filter(pk=subscription_id).values_list("organization_id", flat=True).first()
    if found is None:
        raise NotFound("no such subscription", field="subscription")
    lock_organization(found)
    return Subscription.objects.get(pk=subscription_id)


def state(subscription: Subscription) -> dict[str, object]:
    """What audit rows and messages say of a subscription."""
    items = open_items(subscription)
    return {
        "status": subscription.status,
        "plan": next((row.item.code for row in items if row.kind == ItemKind.PLAN), None),
        "addons": {row.item.code: row.quantity for row in items if row.kind == ItemKind.ADD_ON},
        "period_start": subscription.period_start.isoformat(),
        "period_end": subscription.period_end.isoformat(),
    }


def schedule(subscription: Subscription) -> None:
    """Set when it moves by itself, by the policies in force."""
    scope = organization_scope(subscription.organization)
    subscription.due_at = next_move_at(
        subscription.status,
        period_end=subscription.period_end,
        trial_ends_at=subscription.trial_ends_at,
        suspended_at=subscription.suspended_at,
        grace_days=policy.effective(GRACE, scope),
    )


def enter_period(subscription: Subscription, at: datetime) -> None:
    """Let the period be the one that `at` lies in."""
    anchor = Anchor.at(subscription.anchor_at, zone(subscription.time_zone))
    period = period_containing(anchor, Interval(subscription.interval), at)
    subscription.period_start, subscription.period_end = period.start, period.end


def zone(name: str) -> ZoneInfo:
    """Raises DomainError (`time_zone_unknown`)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DomainError(
            "no such time zone; write Europe/Berlin", field="time_zone", code="time_zone_unknown"
        ) from None


def _begin(organization: Organization, terms: object, interval: str, time_zone: str, at: datetime) -> Subscription:
    subscription = Subscription(organization=organization, interval=interval, time_zone=time_zone, created_at=at)
    days = terms.trial_days if isinstance(terms, Plan) else 0
    if days:
        subscription.status, subscription.trial_ends_at = Status.TRIALING, at + timedelta(days=days)
        subscription.anchor_at = subscription.period_end = subscription.trial_ends_at
        subscription.period_start = at
        zone(time_zone)
        return subscription
    subscription.status = Status.ACTIVE
    _restart(subscription, interval, at)
    return subscription


def _restart(subscription: Subscription, interval: str, at: datetime) -> None:
    """Active from `at` on, with a period that begins there."""
    subscription.status, subscription.interval, subscription.anchor_at = Status.ACTIVE, interval, at
    subscription.suspended_at = subscription.canceled_at = None
    enter_period(subscription, at)


def _payer(organization: Organization, plan: str, account: BillingAccount | None) -> BillingAccount | None:
    if account is not None:
        if account.organization_id != organization.pk:
            raise NotFound("no such billing account", field="billing_account")
        return account
    currencies = listed(ItemKind.PLAN, plan).version.prices.values_list("currency", flat=True)
    found = organization.billing_accounts.exclude(phase=Phase.ARCHIVED).filter(currency__in=currencies)[:2]
    return found[0] if len(found) == 1 else None


def _first_currency(plan: str, subscription: Subscription | None) -> str:
    if subscription is not None:
        return subscription.currency
    terms = terms_of(listed(ItemKind.PLAN, plan).version, ItemKind.PLAN)
    return terms.currency


def _save(subscription: Subscription, actor: Actor, reason: str, at: datetime) -> None:
    schedule(subscription)
    save_signed(subscription, actor, reason[:100], at)  # as long as a reason is in its history


def _follow(
    subscription: Subscription,
    action: str,
    before: dict[str, object] | None,
    *,
    actor: Actor,
    reason: str,
    at: datetime,
) -> None:
    """What follows from a change: the enforcement reason, the limits, who is told."""
    organization, after = subscription.organization, state(subscription)
    hold = HOLDS.get(subscription.status)
    if hold:
        enforcement.open_reason(organization, SOURCE, hold.level, why=hold.why, at=at)
    else:
        enforcement.close_reason(organization, SOURCE, at=at)
    record(
        actor,
        action,
        subject=("subscription", subscription.pk),
        organization_id=organization.pk,
        at=at,
        reason=reason,
        before=before,
        after=after,
    )
    told = {"subscription": subscription.public_id, "organization": organization.public_id, **after}
    emit(topics.SUBSCRIPTION_CHANGED, told, at=at, organization_id=organization.pk)
    reactions.follow(CHANGED, subscription=subscription, at=at)
    recompute([organization.pk], at=at)
