"""Which causes fit what is seen of accrual. Facts in, words out; the most general cause first."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.urls import reverse

from billing_site import bells
from billing_site.accrual_facts import AccrualFacts
from billing_site.back_office.runbooks.reading import Cause, Step
from billing_site.back_office.spans import span

LATE_SECONDS = 120
HELD_SECONDS = 30
MANY_RINGS = 100
ACCRUE = "ledger.accrue"

_DEFECT = ("the database refused what the tick wrote", "run verify_books --full; this is a defect, report its reason")
_PRICE = ("one window costs more than 10^15 minor units", "correct the quantity, or the rate where the cursor stands")
_PARKED_FOR = {
    "unpriced_usage": ("no rate is in force where the cursor stands", "set a rate from that moment or before"),
    **dict.fromkeys(("entry_amount_in_range", "usage_cost_in_range", "22003"), _PRICE),
    "23514": ("a rule of a table; often the partition of a month is missing", "drain now: it makes the months"),
    **dict.fromkeys(
        ("usage_windows_meet", "chain_is_unbroken", "entries_sum_to_zero", "entry_fits_its_account"), _DEFECT
    ),
}
_OTHER = ("the name of a constraint, or PostgreSQL's SQLSTATE", "read the reason in the list")

_DOCTOR = Step("Look the whole site over; it names what is missing.", command="manage.py doctor")
_BY_HAND = Step("Bill by hand meanwhile; it is the same tick.", command="manage.py accrue")


def parked_for(code: str) -> tuple[str, str]:
    """What a reason code means, and what to do."""
    return _PARKED_FOR.get(code, _OTHER)


def causes(facts: AccrualFacts) -> list[Cause]:
    """Everything that fits, so that no cause hides another; where it is late and nothing fits, that is said."""
    found = [*_nobody_rings(facts), *_the_tick_fails(facts), *_months(facts), *_locks(facts), *_parked(facts)]
    if not found and facts.lag_seconds > LATE_SECONDS:
        why = "Worker, Redis and database answer, nobody holds an account, and no account is parked."
        found.append(Cause("The reason is not seen from here", why, [_drain(), _DOCTOR]))
    return found


def longest_hold(facts: AccrualFacts) -> float:
    """Seconds for which the longest transaction holds rows of accounts, of those our role may read."""
    held = [session.began_at for session in facts.sessions if session.holds_accounts and session.began_at]
    return max((max(0.0, (facts.at - began).total_seconds()) for began in held), default=0.0)


def _nobody_rings(facts: AccrualFacts) -> Iterator[Cause]:
    last = bells.last_ring(list(facts.bells))
    silent = None if last is None else (facts.at - last).total_seconds()
    since = "never" if silent is None else f"{span(max(silent, 0))} ago"
    if facts.broker.error:
        why = f"Redis says: {facts.broker.error}. Work is safe in the database; a flushed Redis needs no repair."
        yield Cause("Redis does not answer, so no ring reaches the worker", why, [Step("Start Redis."), _drain()])
        return
    if silent is not None and silent <= bells.SILENT_SECONDS:
        return
    busy = max((bell.under_way_seconds(facts.at) for bell in facts.bells), default=0.0)
    refused = Step(
        "If it stops at once, it says why: web and worker refuse faults of the start.", "", "manage.py doctor"
    )
    if facts.broker.waiting > 0:
        why = f"A task last rang {since}, and {facts.broker.waiting:,} rings wait in Redis."
        if busy > bells.STUCK_SECONDS:
            why += f" A task that began {span(busy)} ago never ended: the worker died in it, or still works."
        yield Cause("The worker does not run", why, [Step("Start the worker."), refused, _drain(), _BY_HAND])
    else:
        why = f"A task last rang {since}, and no ring waits in Redis: nobody rings."
        yield Cause("Beat does not run", why, [Step("Start beat; exactly one."), refused, _drain(), _BY_HAND])


def _the_tick_fails(facts: AccrualFacts) -> Iterator[Cause]:
    accrue = next((bell for bell in facts.bells if bell.task == ACCRUE), None)
    if accrue is None:
        return
    under_way = accrue.under_way_seconds(facts.at)
    if accrue.error and not under_way:
        why = f"It rang, and ended with {accrue.error}"
        yield Cause("The tick fails as a whole", why, [_DOCTOR, _drain()])
    elif under_way > bells.STUCK_SECONDS:
        why = f"It is under way since {span(under_way)}. A long backlog takes long; a tick that is held takes longer."
        yield Cause("The tick does not come to an end", why, [Step("See the sessions below."), _DOCTOR])


def _months(facts: AccrualFacts) -> Iterator[Cause]:
    if facts.missing_months:
        names = ", ".join(f"{month:%Y-%m}" for month in facts.missing_months)
        why = f"Usage has no partition for {names}. The worker makes months ahead every hour; so does each drain."
        migrate = Step("Where it may not make them.", command="manage.py migrate")
        yield Cause("A month is missing", why, [_drain(), migrate])


def _locks(facts: AccrualFacts) -> Iterator[Cause]:
    holders = {pid for session in facts.sessions for pid in session.waits_for}
    long = [
        session
        for session in facts.sessions
        if session.holds_accounts
        and (session.began_at is None or (facts.at - session.began_at).total_seconds() > HELD_SECONDS)
        and (session.began_at is not None or session.pid in holders or facts.lag_seconds > LATE_SECONDS)
    ]
    if not long:
        return
    names = ", ".join(f"{session.pid} ({session.role})" for session in long[:5])
    why = (
        f"Session {names} holds rows of accounts. The tick leaves held accounts to whoever holds them, so only those "
        "wait. Sessions of the site that idle in a transaction are ended after 60 seconds; a psql session is not."
    )
    end = Step("Let it commit, or end it.", command=f"SELECT pg_terminate_backend({long[0].pid});")
    yield Cause("Somebody holds accounts", why, [end])


def _parked(facts: AccrualFacts) -> Iterator[Cause]:
    for group in facts.parked:
        means, todo = parked_for(group.code)
        title = f"{group.accounts:,} parked: {group.code}"
        steps = [Step("Read each account's reason.", url=_parked_list()), Step(f"{todo[:1].upper()}{todo[1:]}.")]
        if group.code == "unpriced_usage":
            steps[1] = Step("Set a rate from that moment or before.", url=reverse("admin:quotas_skurate_set"), act=True)
        again = f"{reverse('admin:runbooks_accrual_retry')}?{urlencode({'code': group.code})}"
        steps.append(Step("Then try them again.", url=again, act=True))
        yield Cause(title, f"It means: {means}.", steps)


def _parked_list() -> str:
    return f"{reverse('admin:ledger_accrualschedule_changelist')}?parked=yes"


def _drain() -> Step:
    return Step("Bill what is due now, from here.", url=reverse("admin:runbooks_accrual_drain"), act=True)
