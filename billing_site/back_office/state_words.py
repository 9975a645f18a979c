"""Why a balance stands where it stands, in whole sentences. Pure: facts in, words out."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.currencies import EXPONENTS, format_minor
from accounts.display import show_moment
from billing_site.back_office.spans import hourly, span
from ledger.models import State

TITLES = {
    State.HEALTHY: "Healthy",
    State.LOW_BALANCE: "Low balance",
    State.AUTO_RELEASE_PENDING: "About to be used up",
    State.DEPLETED: "Depleted",
}
TONES = {
    State.HEALTHY: "good",
    State.LOW_BALANCE: "wait",
    State.AUTO_RELEASE_PENDING: "wait",
    State.DEPLETED: "bad",
}


@dataclass(frozen=True)
class Facts:
    """What the sentences are made of; amounts in minor units of `currency`, `burn` of them an hour."""

    state: str
    since: datetime
    currency: str
    balance_minor: int
    has_entries: bool
    threshold_minor: int
    horizon_seconds: int
    burn: Decimal
    depletes_at: datetime | None
    depleted_at: datetime | None
    asked: int
    unconfirmed: int


def why(facts: Facts) -> list[SafeString]:
    """One or two sentences about the state, then what follows from the present burn."""
    match facts.state:
        case State.DEPLETED:
            return _depleted(facts)
        case State.AUTO_RELEASE_PENDING:
            return [_used_up(facts), _pending(facts)]
        case State.LOW_BALANCE:
            return [_low(facts), *_projection(facts)]
        case _:
            return [_healthy(facts), *_projection(facts)]


def _healthy(facts: Facts) -> SafeString:
    if not facts.has_entries:
        return mark_safe("Nothing was posted yet, so nothing is judged. Record a transfer or grant credit to begin.")
    return format_html(
        "Healthy: {} is above the threshold of {}.", _amount(facts.balance_minor, facts), _threshold(facts)
    )


def _low(facts: Facts) -> SafeString:
    return format_html(
        "Low: {} is at or below the threshold of {}; warned {}.",
        _amount(facts.balance_minor, facts),
        _threshold(facts),
        show_moment(facts.since),
    )


def _used_up(facts: Facts) -> SafeString:
    if facts.depletes_at is None:
        return format_html("Will be used up within moments at {} an hour.", hourly(facts.burn, facts.currency))
    return format_html(
        "Will be used up around {} at {} an hour.", show_moment(facts.depletes_at), hourly(facts.burn, facts.currency)
    )


def _pending(facts: Facts) -> SafeString:
    return format_html(
        "That is within {}, as since {}. At zero the release of everything is asked for.",
        span(facts.horizon_seconds),
        show_moment(facts.since),
    )


def _projection(facts: Facts) -> list[SafeString]:
    if not facts.has_entries:
        return []
    if facts.burn == 0:
        return [mark_safe("Nothing runs, so nothing is used up.")]
    if facts.depletes_at is None:
        return [format_html("At {} an hour it lasts for years.", hourly(facts.burn, facts.currency))]
    return [_used_up(facts)]


def _depleted(facts: Facts) -> list[SafeString]:
    begun = format_html("Used up since {}. Nothing new starts.", show_moment(facts.depleted_at or facts.since))
    if not facts.asked:
        return [begun, mark_safe("Nothing ran, so no release was asked for.")]
    asked = f"{facts.asked:,} release{'' if facts.asked == 1 else 's'} asked"
    confirmed = f"{facts.unconfirmed:,} not confirmed" if facts.unconfirmed else "all confirmed"
    lines = [begun, format_html("{}, {}.", asked, confirmed)]
    if facts.unconfirmed and facts.burn:
        lines.append(format_html("What still runs adds {} an hour.", hourly(facts.burn, facts.currency)))
    return lines


def _threshold(facts: Facts) -> str:
    return _amount(facts.threshold_minor, facts)


def _amount(amount_minor: int, facts: Facts) -> str:
    if facts.currency not in EXPONENTS:
        return f"{amount_minor:,} {facts.currency}"
    return format_minor(amount_minor, facts.currency)
