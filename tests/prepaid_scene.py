"""A prepaid account at work: money in and out, the tick, and what was said and done about its balance."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts import enforcement, policy
from accounts.audit import person
from accounts.currencies import EXPONENTS
from accounts.models import BillingAccount, OutboxMessage
from ledger import accrual, adjustments, topics
from ledger.models import BalanceState, BalanceTransition, LowBalanceEpisode
from ledger.verification import RULES
from quotas.allocations import start
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.funding import fund

HEALTHY, LOW, PENDING, DEPLETED = "healthy", "low_balance", "auto_release_pending", "depleted"
WARNING, ADVISORY = topics.LOW_BALANCE_WARNING, topics.AUTO_RELEASE_PENDING
DEPLETION, RELEASE = topics.BALANCE_DEPLETED, topics.FORCE_RELEASE_REQUESTED
ABOUT_BALANCES = (WARNING, ADVISORY, DEPLETION, RELEASE)
THRESHOLD = "billing.low_balance_threshold_minor"
PROJECTION = "billing.auto_release_projection_seconds"
GRACE = "billing.release_grace_seconds"
TAIL = "billing.outage_tail"
WIDTH = "billing.window_seconds"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def spend(cast: Cast, amount_minor: int, at: datetime, account: BillingAccount | None = None) -> None:
    """Take minor units from the wallet by an adjustment, which respects the floor."""
    account = account or cast.prepaid
    proposal = adjustments.payload(account, -amount_minor, account.currency)
    adjustments.adjust(proposal, actor=person(cast.dana), reason="spent", at=at)


def set_policy(key: str, value: object, *, scope: str = "global", of: int | None = None, at: datetime = NOON) -> None:
    policy.set_value(key, value, scope=scope, scope_id=of, actor=ACTOR, reason="test", at=at)


def no_advisories() -> None:
    """A horizon of no time: only the threshold and zero count."""
    set_policy(PROJECTION, 0, at=BEGINNING)


def tick_each_minute(since: datetime, minutes: int) -> datetime:
    """Tick at every minute after `since`; the moment of the last one."""
    for minute in range(1, minutes + 1):
        accrual.drain(since + minute * MINUTE)
    return since + minutes * MINUTE


def state(account: BillingAccount) -> str:
    return BalanceState.objects.get(pk=account.pk).state


def level(account: BillingAccount) -> str:
    return enforcement.level(account.pk)


def steps(account: BillingAccount) -> list[tuple[str, str]]:
    found = BalanceTransition.objects.filter(billing_account=account).order_by("id")
    return list(found.values_list("before", "after"))


def told(account: BillingAccount, wanted: Collection[str] = ABOUT_BALANCES) -> list[str]:
    """Topics about the balance, in the order of `seq`."""
    return [message.topic for message in messages(account, wanted)]


def messages(account: BillingAccount, wanted: Collection[str] = ABOUT_BALANCES) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(billing_account=account, topic__in=wanted).order_by("seq"))


def payload(account: BillingAccount, topic: str) -> dict[str, Any]:
    """What the only message of a topic says."""
    (message,) = messages(account, [topic])
    said: dict[str, Any] = message.payload
    return said


def run_dry(cast: Cast, at: datetime) -> datetime:
    """61.00 and a machine of 1.00 a minute: an advisory after a minute, dry after 61; found at the minute after."""
    fund(cast.prepaid, 6100, at=at)
    start(cast.project, cast.gpu, quantity="24", actor=ACTOR, at=at)
    accrual.drain(at + MINUTE)
    accrual.drain(at + 62 * MINUTE)
    return at + 62 * MINUTE


def open_episodes(account: BillingAccount) -> int:
    return LowBalanceEpisode.objects.filter(billing_account=account, closed_at=None).count()


def assert_books_are_clean() -> None:
    """Every rule of verify_books, inside the test's own transaction."""
    bounds = {"since": 0, "currencies": list(EXPONENTS), "scales": [10**exponent for exponent in EXPONENTS.values()]}
    broken = {rule.name: fetch_with(rule.query, bounds) for rule in RULES}
    assert {name: rows for name, rows in broken.items() if rows} == {}


def fetch_with(query: str, bounds: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, bounds)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
