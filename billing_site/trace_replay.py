"""Billing a trace: its workloads become allocations, started and released by the real acts under a simulated clock.

Each replay has organizations, accounts and SKUs of its own, so it can be repeated. The clock is the accounts' test
clock: a worker that ticks beside the replay sees the same moment and bills the same windows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.db import connection, transaction

from accounts import policy
from accounts.bindings import bind
from accounts.errors import AccountHalted
from accounts.lifecycle import open_billing_account, open_organization, open_project
from accounts.locking import lock_account
from accounts.models import BillingAccount, LegalEntity, Organization, Project, User
from billing_site.trace import BEGINNING, GPU, VCPU, Workload
from billing_site.trace_clock import ACTOR, Clock, Tally
from ledger.top_ups import post_transfer
from quotas.allocations import complete_release, start
from quotas.errors import QuantityInvalid
from quotas.models import Allocation, AllocationStatus, Sku
from quotas.price_book import open_sku, set_rate

_END, _START, _END_AT_ONCE = 0, 1, 2  # at one moment, what ends goes before what starts


@dataclass(frozen=True)
class Terms:
    """Prices in major units per unit and hour as decimal text, and how the accounts are kept."""

    gpu_hour: str
    cpu_hour: str
    currency: str
    accounts: int
    settlement: str
    window_seconds: int
    top_up: int = 0  # minor units that every account begins with
    tick_delay_seconds: int = 0
    outage_tail: str = "waive"


@dataclass
class Stage:
    """What a replay plays on."""

    skus: dict[str, Sku]
    accounts: list[BillingAccount]
    projects: list[Project]
    started: dict[int, int] = field(default_factory=dict)  # row index → allocation id


@transaction.atomic
def set_stage(terms: Terms, *, owner: User, entity: LegalEntity) -> Stage:
    """Open the replay's own organizations, accounts, projects and SKUs at the beginning of the trace."""
    number = _replay_number()
    skus = {
        name: open_sku(f"replay-{number}-{name}", f"Replay {number} {name}", name, at=BEGINNING) for name in (GPU, VCPU)
    }
    for name, rate in ((GPU, terms.gpu_hour), (VCPU, terms.cpu_hour)):
        set_rate(
            skus[name],
            currency=terms.currency,
            rate_per_unit_hour=rate,
            effective_from=BEGINNING,
            actor=ACTOR,
            at=BEGINNING,
        )
    stage = Stage(skus, [], [])
    for index in range(terms.accounts):
        _open_account(stage, terms, f"replay-{number}-{index}", owner=owner, entity=entity)
    return stage


def play(
    workloads: Iterable[Workload],
    stage: Stage,
    terms: Terms,
    *,
    progress: Callable[[int], object] = lambda step: None,
) -> Tally:
    """Move the clock from event to event and let catch-up bill what lies between; the tally of all of it."""
    tally = Tally()
    clock = Clock(
        stage.accounts, window_seconds=terms.window_seconds, delay_seconds=terms.tick_delay_seconds, tally=tally
    )
    for moment, events in groupby(_events(workloads, tally), key=lambda event: event[0]):
        clock.advance(moment)
        for _, kind, workload in events:
            (_start if kind == _START else _release)(stage, workload, moment, tally)
            progress(1)
    clock.finish()
    return tally


def _events(workloads: Iterable[Workload], tally: Tally) -> list[tuple[datetime, int, Workload]]:
    events = []
    for workload in workloads:
        if workload.starts_at is None or workload.ends_at is None:
            tally.skipped += 1
            continue
        tally.allocations += 1
        end = _END if workload.ends_at > workload.starts_at else _END_AT_ONCE
        events += [(workload.starts_at, _START, workload), (workload.ends_at, end, workload)]
    return sorted(events, key=lambda event: (event[0], event[1], event[2].index))


def _start(stage: Stage, workload: Workload, moment: datetime, tally: Tally) -> None:
    project = stage.projects[workload.index % len(stage.projects)]
    try:
        allocation = start(
            project,
            stage.skus[workload.sku],
            quantity=workload.quantity,
            external_id=workload.name,
            actor=ACTOR,
            at=moment,
        )
    except (AccountHalted, QuantityInvalid):
        tally.refused += 1
        return
    stage.started[workload.index] = allocation.pk


def _release(stage: Stage, workload: Workload, moment: datetime, tally: Tally) -> None:
    allocation_id = stage.started.pop(workload.index, None)
    if allocation_id is None or Allocation.objects.get(pk=allocation_id).status == AllocationStatus.RELEASED:
        return  # refused at its start, or taken down when the money was used up
    complete_release(allocation_id, completed_at=moment, actor=ACTOR, at=moment)
    tally.released += 1


def _open_account(stage: Stage, terms: Terms, slug: str, *, owner: User, entity: LegalEntity) -> None:
    organization: Organization = open_organization(slug, slug, owner=owner, at=BEGINNING)
    for key, value in (("billing.window_seconds", terms.window_seconds), ("billing.outage_tail", terms.outage_tail)):
        policy.set_value(
            key, value, scope="tenant", scope_id=organization.pk, actor=ACTOR, reason="a replay", at=BEGINNING
        )
    account = open_billing_account(
        organization,
        entity,
        slug,
        currency=terms.currency,
        settlement=terms.settlement,
        actor=ACTOR,
        at=BEGINNING,
    )
    BillingAccount.objects.filter(pk=account.pk).update(test_now=BEGINNING)
    project = open_project(organization, "trace", "trace", at=BEGINNING)
    bind(project, account, actor=ACTOR, at=BEGINNING)
    if terms.top_up:
        locked = lock_account(account.pk)
        post_transfer(locked, amount_minor=terms.top_up, bank_reference=slug, actor=ACTOR, at=BEGINNING)
    stage.accounts.append(account)
    stage.projects.append(project)


def _replay_number() -> int:
    """The next free number among replays, for this transaction alone; organizations carry it in their short name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('trace_replay'))")
        cursor.execute(
            "SELECT coalesce(max(split_part(code, '-', 2)::int), 0) + 1 FROM skus WHERE code ~ '^replay-[0-9]+-gpu$'"
        )
        return int(cursor.fetchone()[0])
