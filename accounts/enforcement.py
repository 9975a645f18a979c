"""Enforcement: each source owns one open reason; the level is the worst open one and is never stored.

A reason holds back a billing account, or an organization as a whole. What an organization may use follows the worst
of its own reasons and of those of the account its subscription is paid by.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import reactions
from accounts.models import BillingAccount, EnforcementReason, Level, Organization

FULL = "full"
CHANGED = "enforcement.changed"
_SEVERITY = {FULL: 0, Level.WARN: 1, Level.RESTRICTED: 2, Level.HALTED: 3}
Subject = BillingAccount | Organization


def level(account_id: int) -> str:
    """full, warn, restricted or halted: the worst open reason of the account."""
    return worst(_open(Q(billing_account_id=account_id)).values_list("level", flat=True))


def levels_of_organizations(accounts: Mapping[int, int | None]) -> dict[int, str]:
    """The level of each organization, given the account that its subscription is paid by, or None. One query."""
    payers = {account for account in accounts.values() if account is not None}
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    reasons = _open(Q(organization_id__in=accounts) | Q(billing_account_id__in=payers))
    for organization_id, account_id, word in reasons.values_list("organization_id", "billing_account_id", "level"):
        owner = ("organization", organization_id) if organization_id else ("account", account_id)
        found[owner].append(word)
    return {
        organization_id: worst(found["organization", organization_id] + found["account", account_id or 0])
        for organization_id, account_id in accounts.items()
    }


@transaction.atomic
def open_reason(subject: Subject, source: str, wanted: Level, *, why: str, at: datetime) -> EnforcementReason:
    """Hold an account or an organization back at a level for one source; another level, or another why, closes the
    old reason and opens a new one.

    The caller holds the subject's lock.
    """
    current = _open(_of(subject)).filter(source=source).first()
    if current and (current.level, current.why) == (wanted, why):
        return current
    if current:
        _open(_of(subject)).filter(source=source).update(closed_at=at)
    column = {"organization" if isinstance(subject, Organization) else "billing_account": subject}
    reason = EnforcementReason.objects.create(source=source, level=wanted, why=why, since=at, **column)
    reactions.follow(CHANGED, subject=subject, at=at)
    return reason


def close_reason(subject: Subject, source: str, *, at: datetime) -> bool:
    """Let the source's open reason go; False where none was open. The caller holds the subject's lock."""
    closed = bool(_open(_of(subject)).filter(source=source).update(closed_at=at))
    if closed:
        reactions.follow(CHANGED, subject=subject, at=at)
    return closed


def _open(which: Q) -> QuerySet[EnforcementReason]:
    return EnforcementReason.objects.filter(which, closed_at=None)


def _of(subject: Subject) -> Q:
    return Q(organization=subject) if isinstance(subject, Organization) else Q(billing_account=subject)


def worst(words: Iterable[str]) -> str:
    """Of the levels of open reasons; full where there is none."""
    return max(words, key=lambda word: _SEVERITY[word], default=FULL)
