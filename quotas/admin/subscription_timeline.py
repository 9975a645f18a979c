"""What happened to a subscription, newest first, in words: what it held, its states, its periods, and who did it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.utils.html import format_html

from accounts.currencies import format_minor
from accounts.display import show_moment
from accounts.models import AuditLog, BillingAccount
from quotas.admin.subscription_words import STATES
from quotas.models import ItemKind, Subscription, SubscriptionItem
from quotas.models import SubscriptionStatus as Status

MOST = 60
_ENTERED: dict[str, str] = {
    Status.TRIALING: "The trial began",
    Status.ACTIVE: "Subscribed",
    Status.PAST_DUE: "Past due: a payment is missing",
    Status.CANCELING: "Canceled at the period's end",
    Status.SUSPENDED: "Suspended",
    Status.CANCELED: "Canceled for good",
}
_MOVED: dict[tuple[str, str], str] = {
    (Status.TRIALING, Status.ACTIVE): "The trial ended; paid from here on",
    (Status.CANCELING, Status.ACTIVE): "The cancellation was taken back",
    (Status.PAST_DUE, Status.ACTIVE): "Paid; active again",
    (Status.SUSPENDED, Status.ACTIVE): "Subscribed again",
    (Status.CANCELED, Status.ACTIVE): "Subscribed again",
}


@dataclass
class Moment:
    """All that happened at one moment."""

    at: datetime
    words: list[Any] = field(default_factory=list)
    acts: list[AuditLog] = field(default_factory=list)


def timeline(subscription: Subscription, *, most: int = MOST) -> tuple[list[Moment], bool]:
    """The newest moments, and whether there are older ones. Four queries."""
    found: defaultdict[datetime, list[Any]] = defaultdict(list)
    acts: defaultdict[datetime, list[AuditLog]] = defaultdict(list)
    audit = AuditLog.objects.filter(subject_type="subscription", subject_id=subscription.pk)
    for row in reversed(audit.select_related("actor").order_by("-pk")[: 4 * most]):
        acts[row.at].append(row)
        found[row.at] += _state_words(row)
    items = subscription.items.select_related("item", "version", "price").order_by("pk")
    for at, words in _item_words(items):
        found[at].append(words)
    for at, words in _period_words(reversed(subscription.history.order_by("-history_id")[: 4 * most])):
        found[at].append(words)
    moments = sorted({*found, *acts}, reverse=True)
    return [Moment(at, found[at], acts[at]) for at in moments[:most]], len(moments) > most


def _state_words(row: AuditLog) -> Iterator[str]:
    before, after = (row.before or {}).get("status"), (row.after or {}).get("status")
    if after and before != after:
        yield _MOVED.get((before or "", after)) or _ENTERED.get(after) or STATES.get(after, after)


def _item_words(rows: Iterable[SubscriptionItem]) -> Iterator[tuple[datetime, str]]:
    """What changed at each moment: an item that goes on differs, others come or go."""
    opened: defaultdict[datetime, dict[int, SubscriptionItem]] = defaultdict(dict)
    closed: defaultdict[datetime, dict[int, SubscriptionItem]] = defaultdict(dict)
    for row in rows:
        opened[row.effective_from][row.item_id] = row
        if row.effective_to and row.effective_to > row.effective_from:
            closed[row.effective_to][row.item_id] = row
    for at in {*opened, *closed}:
        for key, row in opened[at].items():
            earlier = closed[at].pop(key, None)
            yield at, _changed(earlier, row) if earlier else f"Holds {_named(row)}, {_priced(row)}"
        for row in closed[at].values():
            yield at, f"No longer holds {_named(row)}"


def _changed(before: SubscriptionItem, after: SubscriptionItem) -> str:
    parts = []
    if before.quantity != after.quantity:
        parts.append(f"{before.quantity} → {after.quantity}")
    if before.version_id != after.version_id:
        parts.append(f"version {before.version.number} → {after.version.number}")
    priced = "at the price it had" if before.price_id == after.price_id else f"now {_priced(after)}"
    return f"{after.item.code}: {', '.join([*parts, priced])}"


def _named(row: SubscriptionItem) -> str:
    return f"the plan {row.item.code}" if row.kind == ItemKind.PLAN else f"{row.quantity} × {row.item.code}"


def _priced(row: SubscriptionItem) -> str:
    each = " each" if row.kind == ItemKind.ADD_ON else ""
    return f"{format_minor(row.price.amount_minor, row.price.currency)}{each} a {row.price.interval}"


def _period_words(versions: Iterable[Any]) -> Iterator[tuple[datetime, Any]]:
    """Of the history of the row: a period that began, another payer."""
    rows = list(versions)
    payers = BillingAccount.objects.in_bulk({row.billing_account_id for row in rows if row.billing_account_id})
    for before, after in pairwise([None, *rows]):
        if before is None or before.period_start != after.period_start:
            words = "Trial until {}" if after.status == Status.TRIALING else "A period began, until {}"
            yield after.period_start, format_html(words, show_moment(after.period_end))
        if before and before.billing_account_id != after.billing_account_id:
            yield after.history_date, f"Paid by {payers.get(after.billing_account_id, 'nobody')}"
