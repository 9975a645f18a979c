"""Accrual is wedged: what is seen, which causes fit it, what to do. The written runbook: docs/runbooks/."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from billing_site import accrual_facts, bells
from billing_site.accrual_facts import MOST_WAITING, AccrualFacts
from billing_site.back_office.runbooks import accrual_causes
from billing_site.back_office.runbooks.reading import Reading, Runbook, Symptom, Table
from billing_site.back_office.spans import span

LATE_SECONDS = accrual_causes.LATE_SECONDS


def read(at: datetime) -> Reading:
    facts = accrual_facts.look(at)
    causes = accrual_causes.causes(facts)
    late, parked = facts.lag_seconds > LATE_SECONDS, facts.parked_accounts
    if late:
        tone, headline = "alarm", f"Usage waits to be billed since {span(facts.lag_seconds)}."
    elif parked:
        tone, headline = "alarm", f"{_counted(parked, 'account')} parked; everybody else is billed."
    elif causes:
        tone, headline = "wait", "Billing is up to date, but it will not stay so."
    else:
        tone, headline = "calm", "Billing is up to date. There is nothing to do."
    return Reading(tone, headline, list(_symptoms(facts)), causes, [_parked(facts), _bells(facts), _sessions(facts)])


ACCRUAL_WEDGED = Runbook(
    "accrual",
    "Accrual is wedged",
    "Usage is not billed: accrual lag above two minutes, or accounts that are parked.",
    "Nothing is lost and nothing is billed twice. The first tick that runs bills every window since the cursor, at the "
    "rates that were in force. What grows is the time until customers see their usage, and until a balance that is "
    "used up is noticed.",
    "docs/runbooks/accrual-wedged.md",
    read,
    acts=(("runbooks_accrual_drain", "Drain now"), ("runbooks_accrual_retry", "Retry all parked")),
)


def _symptoms(facts: AccrualFacts) -> Iterator[Symptom]:
    late = "alarm" if facts.lag_seconds > LATE_SECONDS else "calm"
    accounts = _list("ledger_accrualschedule", parked="no")
    yield Symptom("Accrual lag", span(facts.lag_seconds), late, "How long the first account is due.", accounts)
    more = "+" if facts.waiting == MOST_WAITING else ""
    yield Symptom("Accounts due", f"{facts.waiting:,}{more}", late, "The next tick bills them.", accounts)
    parked = "alarm" if facts.parked_accounts else "calm"
    reasons = _list("ledger_accrualschedule", parked="yes")
    hint = "Billing them failed; the others go on." if facts.parked_accounts else "Every account is billed."
    yield Symptom("Parked accounts", f"{facts.parked_accounts:,}", parked, hint, reasons)
    yield _newest_window(facts)
    yield _worker(facts)
    yield _redis(facts)
    yield _locks(facts)
    outbox = facts.outbox
    waits = f"The oldest is {span(outbox.oldest_pending_seconds)} old." if outbox.pending else "Nothing waits."
    tone = "wait" if outbox.oldest_pending_seconds > LATE_SECONDS else "calm"
    pending = _list("accounts_outboxdelivery", state="pending")
    yield Symptom("Outbox pending", f"{outbox.pending:,}", tone, waits, pending)
    yield Symptom("Database", "answers", "calm", "This page was read from it.")


def _newest_window(facts: AccrualFacts) -> Symptom:
    usage = _list("ledger_usagerecord")
    if facts.newest_window_end is None:
        return Symptom("Last window billed", "none", "calm", "No usage was ever billed.", usage)
    age = (facts.at - facts.newest_window_end).total_seconds()
    figure = f"{span(age)} ago" if age >= 0 else f"{span(-age)} ahead"
    hint = "When it ended. It ages where nothing runs." if age >= 0 else "When it ends; its account has a test clock."
    return Symptom("Last window billed", figure, "alarm" if age > 0 and _late(facts) else "calm", hint, usage)


def _worker(facts: AccrualFacts) -> Symptom:
    last = bells.last_ring(list(facts.bells))
    if last is None:
        return Symptom("Worker heard", "never", "alarm", "No task ever rang here. Do worker and beat run?")
    silent = max(0.0, (facts.at - last).total_seconds())
    if silent > bells.SILENT_SECONDS:
        return Symptom("Worker heard", f"{span(silent)} ago", "alarm", "A task rings every 2 seconds.")
    return Symptom("Worker heard", f"{span(silent)} ago", "calm", "Beat, Redis and the worker work together.")


def _redis(facts: AccrualFacts) -> Symptom:
    if facts.broker.error:
        return Symptom("Redis", "silent", "alarm", "No ring reaches a worker without it.")
    waiting = facts.broker.waiting
    tone = "wait" if waiting > accrual_causes.MANY_RINGS else "calm"
    return Symptom("Redis", "answers", tone, f"{waiting:,} rings wait to be heard." if waiting else "No ring waits.")


def _locks(facts: AccrualFacts) -> Symptom:
    longest = accrual_causes.longest_hold(facts)
    blocked = sum(1 for session in facts.sessions if session.waits_for)
    hidden = any(session.holds_accounts and session.began_at is None for session in facts.sessions)
    tone = "alarm" if longest > accrual_causes.HELD_SECONDS else "wait" if blocked or hidden else "calm"
    unread = "; one of another role holds rows too" if hidden else ""
    hint = f"Longest transaction that holds rows of accounts; {_counted(blocked, 'session')} waiting{unread}."
    return Symptom("Account locks", span(longest) if longest else "none", tone, hint)


def _parked(facts: AccrualFacts) -> Table:
    rows = [
        (group.code, f"{group.accounts:,}", group.since, *accrual_causes.parked_for(group.code))
        for group in facts.parked
    ]
    columns = ("Reason code", "Accounts", "Since", "Means", "Do")
    return Table("Parked accounts by reason", columns, rows, "No account is parked.", figures=[1])


def _bells(facts: AccrualFacts) -> Table:
    rows = [
        (bell.task, span(bell.every_seconds), bell.rang_at, _outcome(bell, facts.at), bell.error)
        for bell in facts.bells
    ]
    columns = ("Task", "Rings every", "Last rang", "Then", "Error")
    return Table("Tasks of the worker", columns, rows, "No task is on the beat.", figures=[1])


def _outcome(bell: bells.Bell, at: datetime) -> str:
    if bell.rang_at is None:
        return "never rang"
    if under_way := bell.under_way_seconds(at):
        return f"under way since {span(under_way)}"
    return "failed" if bell.error else "done"


def _sessions(facts: AccrualFacts) -> Table:
    rows = [
        (
            str(session.pid),
            session.role,
            session.program or "not named",
            session.state or "not readable",
            session.began_at,
            "yes" if session.holds_accounts else "no",
            ", ".join(map(str, session.waits_for)) or "nobody",
        )
        for session in facts.sessions
    ]
    columns = ("Session", "Role", "Program", "State", "Transaction began", "Holds accounts", "Waits for")
    note = "A session of another role shows its number and role alone, unless ours is in pg_read_all_stats."
    return Table("Sessions that hold or wait", columns, rows, "No session holds an account or waits.", note)


def _late(facts: AccrualFacts) -> bool:
    return facts.lag_seconds > LATE_SECONDS


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _list(page: str, **filters: str) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return f"{reverse(f'admin:{page}_changelist')}{query}"
