"""The cards of the home page: what is out of the ordinary, what to do about it, and the list behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from accounts.currencies import format_minor
from billing_site import figures
from billing_site.back_office.spans import span
from billing_site.figures import StandingFigures
from billing_site.unconfirmed_releases import MOST, debts, unconfirmed_releases

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


def cards(at: datetime) -> list[Card]:
    """Figures, each a link to its list: customers first, then our own work. Eight, and a ninth while it is wanted."""
    standing = figures.standing(at)
    return [
        *_balances(standing),
        _unconfirmed(at),
        _counted(
            "Approvals waiting",
            figures.approvals_waiting(at),
            "wait",
            ("A second person decides.", "Nothing waits for a second person."),
            _list("accounts_approvalrequest", state="pending"),
        ),
        *_accrual(standing),
        *_refused_catalogs(),
        _counted(
            "Dead letters",
            figures.outbox_figures(at).dead,
            "alarm",
            ("Given up after every try. Read the error, mend it, replay.", "Everything that happened was told."),
            _list("accounts_outboxdelivery", state="dead"),
        ),
        _verification(at),
    ]


def _balances(standing: StandingFigures) -> list[Card]:
    soon = f"{standing.pending} of them within the hour or so. " if standing.pending else ""
    return [
        _counted(
            "Low balance",
            standing.low,
            "wait",
            (f"{soon}They were warned; a call may help.", "Every prepaid balance has room."),
            _list("accounts_billingaccount", state="low"),
        ),
        _counted(
            "Depleted",
            standing.depleted,
            "alarm",
            ("Halted until money arrives. Is a transfer on its way?", "No balance is used up."),
            _list("accounts_billingaccount", state="depleted"),
        ),
    ]


def _unconfirmed(at: datetime) -> Card:
    found = unconfirmed_releases(at)
    amounts = ", ".join(format_minor(amount, currency) for currency, amount in debts(found).items())
    return Card(
        "Unconfirmed releases",
        f"{len(found)}{'+' if len(found) >= MOST else ''}",
        "alarm" if found else "calm",
        f"Still running after the money: {amounts} so far. Ask the platform." if found else "What was asked is gone.",
        reverse("admin:unconfirmed_releases"),
    )


def _accrual(standing: StandingFigures) -> list[Card]:
    late = standing.lag_seconds > LATE_SECONDS
    return [
        _counted(
            "Parked accounts",
            standing.parked,
            "alarm",
            ("Billing them fails. Mend the reason in the list, try again.", "Every account is billed."),
            _list("ledger_accrualschedule", parked="yes"),
        ),
        Card(
            "Accrual lag",
            span(standing.lag_seconds),
            "alarm" if late else "calm",
            "Usage waits to be billed. Does the worker run?" if late else "Billing is up to date.",
            _list("ledger_accrualschedule", parked="no"),
        ),
    ]


def _refused_catalogs() -> list[Card]:
    """Only where there is one: most sites import a catalog once a quarter."""
    refused = figures.refused_catalogs()
    if not refused:
        return []
    url = _list("quotas_catalogrefusal", state="open")
    hint = f"From {refused[0]}. The last good one stays in force. Read what is wrong."
    return [Card("Catalog refused", f"{len(refused)}", "alarm", hint, url)]


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


def _counted(title: str, count: int, tone: str, hints: tuple[str, str], url: str) -> Card:
    """A count that is calm at zero; the first hint is for what stands there, the second for nothing."""
    return Card(title, f"{count:,}", tone if count else "calm", hints[0] if count else hints[1], url)


def _list(page: str, **filters: str) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return f"{reverse(f'admin:{page}_changelist')}{query}"
