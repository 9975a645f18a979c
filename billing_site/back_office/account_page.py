"""What the page of a billing account shows, read in seven queries however long its book is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone

from accounts.billing_details import with_details
from accounts.clock import check_moment
from accounts.errors import TimeInvalid
from accounts.models import AuditLog, BillingAccount, BillingAccountBinding, BindingPhase, Membership, OrganizationRole
from accounts.payment_terms import terms_of
from billing_site.back_office import burn_down, state_words
from billing_site.back_office.policies_in_force import PoliciesInForce, policies_of
from billing_site.back_office.running import RunningAllocation, running_on
from billing_site.back_office.spans import hourly
from billing_site.back_office.standing import MOST, Register, Standing, standing_of
from billing_site.back_office.timeline import KINDS, PAGE, query_of
from ledger import chain_search
from ledger.account_lines import Asked, timeline
from ledger.balance_facts import PROJECTION, THRESHOLD
from ledger.balance_rule import projected_depletion
from ledger.balances import Balance
from ledger.chain_search import Chains
from ledger.models import BalanceState

AUDITED, CONTACTS, PROJECTS = 20, 10, 10


@dataclass
class TimelineForm:
    """The filters of the timeline as they were typed; `faults` say what was not understood and is left out."""

    kind: str = ""
    first: str = ""
    last: str = ""
    below: str = ""
    after: datetime | None = None
    until: datetime | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def asked(self) -> Asked:
        return Asked(self.kind, self.after, self.until, self.below)

    @property
    def typed(self) -> dict[str, str]:
        return {"kind": self.kind, "from": self.first, "to": self.last}

    @property
    def narrowed(self) -> bool:
        return any(self.typed.values())


def read_form(query: Mapping[str, str]) -> TimelineForm:
    """Kind, and calendar days of the reader's time zone, both ends included."""
    form = TimelineForm(kind=query.get("kind", ""), below=query.get("below", "")[:1000])
    if form.kind and form.kind not in KINDS:
        form.faults.append(f"There is no kind {form.kind[:40]!r}.")
        form.kind = ""
    first, last = query.get("from", "").strip(), query.get("to", "").strip()
    # "Up to and including" the last moment before a day is after the day before it, to the microsecond.
    form.after, form.until = _before(first, 0, form), _before(last, 1, form)
    form.first, form.last = first if form.after else "", last if form.until else ""
    return form


def _before(text: str, days: int, form: TimelineForm) -> datetime | None:
    """The last moment before a day begins in the reader's time zone, or before the day after it."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return check_moment(timezone.make_aware(datetime.combine(day, time.min))) - timedelta(microseconds=1)
    except (ValueError, OverflowError, TimeInvalid):
        form.faults.append(f"{text[:40]!r} is no day; write it as 2026-03-31.")
        return None


def page_of(account: Any, query: Mapping[str, str], at: datetime) -> dict[str, Any]:
    """The context of the page; the account comes with all that `with_all` brings."""
    now = account.test_now or at
    form, looked = read_form(query), burn_down.moments(account, now)
    chains = chain_search.find(account.pk, [*looked, *(moment for moment in (form.after, form.until) if moment)])
    held = Balance(account.currency, account.settlement, chains.kinds)
    policies, standing, running = (
        policies_of(account, account.held_plan_id),
        standing_of(account.pk),
        running_on(account, now),
    )
    state: BalanceState | None = getattr(account, "balance_state", None)
    burn = state.burn_minor_per_hour if state else running.minor_per_hour
    depletes_at = projected_depletion(held.amount_minor, burn, now) if state else None
    lines = timeline(chains, form.asked, page=PAGE)
    return {
        "account": account,
        "held": held,
        "other_kinds": [(kind, amount) for kind, amount in held.kinds.items() if len(held.kinds) > 1],
        "several": len(chains.heads) > 1,
        "burn_words": hourly(burn, account.currency),
        "depletes_at": depletes_at,
        **_words(state, held, chains, policies, standing, burn, depletes_at),
        "chart": burn_down.burn_down(
            account,
            chains,
            looked,
            threshold_minor=policies.values[THRESHOLD] if state else None,
            depletes_at=depletes_at,
        ),
        "standing": standing,
        "past": _past(standing),
        "most_past": MOST,
        "running": running,
        "running_words": hourly(running.minor_per_hour, account.currency),
        "allocations": [_allocation(one) for one in running.allocations],
        "policies": policies.lines,
        "form": form,
        "kinds": KINDS,
        "timeline": lines,
        "older": query_of(form.typed, lines.next_page) if lines.next_page else "",
        "newest": query_of(form.typed) if form.below else "",
        "audit": AuditLog.objects.filter(billing_account=account).select_related("actor").order_by("-pk")[:AUDITED],
        "terms": terms_of(account),
        "linked_projects": account.linked_projects,
        "linked_projects_count": account.linked_projects_count,
        **_people(account),
    }


def _words(
    state: BalanceState | None,
    held: Balance,
    chains: Chains,
    policies: PoliciesInForce,
    standing: Standing,
    burn: Decimal,
    depletes_at: datetime | None,
) -> dict[str, Any]:
    if state is None:
        return {"state_title": "", "state_tone": "", "why": [balance_words(held.amount_minor)]}
    fallen = standing.open_depletion
    facts = state_words.Facts(
        state=state.state,
        since=state.since,
        currency=held.currency,
        balance_minor=held.amount_minor,
        has_entries=bool(chains.heads),
        threshold_minor=policies.values[THRESHOLD],
        horizon_seconds=policies.values[PROJECTION],
        burn=burn,
        depletes_at=depletes_at,
        depleted_at=fallen.since if fallen else None,
        asked=fallen.first if fallen else 0,
        unconfirmed=fallen.second if fallen else 0,
    )
    return {
        "state_title": state_words.TITLES.get(state.state, state.state),  # type: ignore[call-overload]
        "state_tone": state_words.TONES.get(state.state, ""),  # type: ignore[call-overload]
        "why": state_words.why(facts),
    }


def _past(standing: Standing) -> list[Register]:
    """Episodes, depletions and reasons together: what is open, then the newest."""
    rows = [*standing.episodes, *standing.depletions, *standing.reasons]
    return sorted(rows, key=lambda row: (row.until is None, row.since), reverse=True)


def _allocation(one: RunningAllocation) -> dict[str, Any]:
    per_hour = one.minor_per_hour
    return {"allocation": one, "per_hour": "no rate" if per_hour is None else hourly(per_hour, one.currency)}


def _people(account: BillingAccount) -> dict[str, Any]:
    """The owner, and who is told about money: hidden until asked for."""
    found = (
        Membership.objects.filter(
            organization=account.organization_id, role=OrganizationRole.BILLING_ADMIN, withdrawn_at=None
        )
        .exclude(user=account.organization.owner_id)
        .select_related("user")
        .order_by("pk")[: CONTACTS + 1]
    )
    contacts = [membership.user for membership in found]
    return {
        "owner": account.organization.owner,
        "contacts": contacts[:CONTACTS],
        "more_contacts": len(contacts) > CONTACTS,
    }


def balance_words(amount_minor: int) -> str:
    """What the sign of a balance means."""
    if amount_minor == 0:
        return "Nothing is owed either way."
    return "The customer has this much with us." if amount_minor > 0 else "The customer owes us this much."


def with_all(accounts: QuerySet[BillingAccount]) -> QuerySet[BillingAccount]:
    """The account with all the page needs of the rows around it: its plan, its details, who pays through it."""
    rows = with_details(accounts).select_related(
        "organization__owner", "legal_entity", "balance_state", "accrual_schedule"
    )
    linked = BillingAccountBinding.objects.filter(billing_account=OuterRef("pk"), phase=BindingPhase.ACTIVE)
    shown = linked.order_by("project__name", "pk").values(row=JSONObject(id="project_id", name="project__name"))
    counted = linked.values("billing_account").annotate(n=Count("pk")).values("n")
    return rows.annotate(
        held_plan_id=F("organization__subscription__plan_id"),
        linked_projects=ArraySubquery(shown[:PROJECTS]),
        linked_projects_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
    )
