"""The home page: what stands still, what waits, and what came in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from billing_site import figures
from ledger import daily_totals

REVENUE_KINDS = ("usage_revenue", "plan_revenue")
LATE_SECONDS = 120
STALE = timedelta(days=2)


@dataclass(frozen=True)
class Card:
    """A figure, how it stands, what to do about it, and the list behind it."""

    title: str
    figure: str
    tone: str  # calm, wait or alarm
    hint: str
    url: str


@dataclass(frozen=True)
class Revenue:
    """Minor units of a currency."""

    currency: str
    today_minor: int
    month_minor: int


def cards(at: datetime) -> list[Card]:
    """Five figures, each a link to its list."""
    parked, waiting = figures.parked_accounts(), figures.approvals_waiting(at)
    dead, lag = figures.outbox_figures(at).dead, figures.accrual_lag_seconds(at)
    return [
        Card(
            "Parked accounts",
            str(parked),
            "alarm" if parked else "calm",
            "Billing them fails; the reason is in the list." if parked else "Every account is billed.",
            _list("ledger_accrualschedule", parked="yes"),
        ),
        Card(
            "Approvals waiting",
            str(waiting),
            "wait" if waiting else "calm",
            "A second person decides." if waiting else "Nothing waits for a second person.",
            _list("accounts_approvalrequest", state="pending"),
        ),
        Card(
            "Dead letters",
            str(dead),
            "alarm" if dead else "calm",
            "These were given up; read the error." if dead else "Everything that happened was told.",
            _list("accounts_outboxdelivery", state="dead"),
        ),
        Card(
            "Accrual lag",
            span(lag),
            "calm" if lag <= LATE_SECONDS else "alarm",
            "Billing is up to date." if lag <= LATE_SECONDS else "Usage waits to be billed. Does the worker run?",
            _list("ledger_accrualschedule", parked="no"),
        ),
        _verification(at),
    ]


def revenue(today: date) -> list[Revenue]:
    """What the book credited to usage and plans today and this month, by currency."""
    totals = daily_totals.read(today.replace(day=1), today, REVENUE_KINDS)
    return [
        Revenue(
            currency,
            sum(total.sum_minor for total in totals if total.currency == currency and total.day == today),
            sum(total.sum_minor for total in totals if total.currency == currency),
        )
        for currency in sorted({total.currency for total in totals})
    ]


def span(seconds: float) -> str:
    """A length of time in its two largest units: `3 d 4 h`."""
    left, words = int(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}")
    return " ".join(words[:2]) or "0 s"


def _verification(at: datetime) -> Card:
    url = _list("ledger_verificationrun")
    run = figures.last_verification(at)
    if run is None:
        return Card("Last verification", "never", "wait", "Run verify_books to prove the book.", url)
    stale = run.age_seconds > STALE.total_seconds()
    hint = f"{run.violations} violations: read them now." if run.violations else "No violations."
    if stale:
        hint += " It is long ago: does beat run?"
    tone = "alarm" if run.violations else "wait" if stale else "calm"
    return Card("Last verification", f"{span(run.age_seconds)} ago", tone, hint, url)


def _list(page: str, **filters: str) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return f"{reverse(f'admin:{page}_changelist')}{query}"
