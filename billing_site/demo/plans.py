"""The plans of the demo: a catalog, who holds what, what they use, and a price that rises for newcomers only."""

from datetime import datetime, timedelta
from pathlib import Path

from accounts import approvals
from accounts.audit import person
from accounts.models import User
from billing_site.demo.stage import ACTOR, Stage
from quotas import catalog_publishing, limits, subscription_clock
from quotas.catalog.document import parse_text
from quotas.catalog_drafts import change_section, draft_of_what_is_in_force, open_draft
from quotas.catalog_in_force import catalog_of, in_force
from quotas.external_ips import hold_address
from quotas.models import Subscription, SubscriptionStatus
from quotas.project_quotas import set_project_quota
from quotas.subscriptions import assign_plan, move
from quotas.usage_report import report

_CATALOG = Path(__file__).with_name("plans.yaml")


def publish_catalog(stage: Stage, at: datetime) -> None:
    """The first one needs no second person: it changes nothing for anyone."""
    draft = open_draft(
        parse_text(_CATALOG.read_bytes()), source=_CATALOG.name, actor=person(stage.staff["dana"]), at=at
    )
    proposal = catalog_publishing.payload(draft, "keep")
    catalog_publishing.publish(proposal, actor=person(stage.staff["dana"]), reason="our first price list", at=at)


def raise_the_price_of_team(stage: Stage, at: datetime) -> None:
    """From 149 to 159 USD: who holds it keeps the old price. Dana asks, Erin agrees."""
    dana = stage.staff["dana"]
    _put_team(dana, {"price": 159}, at)
    draft = draft_of_what_is_in_force(actor=person(dana), at=at)
    proposal = catalog_publishing.payload(draft, "keep")
    outcome = approvals.submit(catalog_publishing.ACT, proposal, maker=dana, reason="power costs more", at=at)
    if outcome.request:
        approvals.decide(outcome.request.pk, checker=stage.staff["erin"], approve=True, note="agreed in May", at=at)


def draft_a_larger_team(stage: Stage, at: datetime) -> None:
    """A draft that waits for somebody to publish it."""
    _put_team(stage.staff["dana"], {"pods": 600, "features": ["16 vCPU", "64 GiB memory", "600 pods"]}, at)


def subscribe(stage: Stage, customer: str, plan: str, addons: dict[str, int], at: datetime) -> None:
    account = stage.accounts[customer]
    assign_plan(
        account.organization,
        plan,
        addons,
        account=account,
        time_zone="UTC",
        actor=person(stage.staff["dana"]),
        reason="ordered by mail",
        at=at,
    )


def bring(stage: Stage, customer: str, status: SubscriptionStatus, reason: str, at: datetime) -> None:
    held = Subscription.objects.get(organization=stage.accounts[customer].organization)
    move(held.pk, status, actor=person(stage.staff["dana"]), reason=reason, at=at)


def use(stage: Stage, customer: str, readings: dict[str, object], at: datetime) -> None:
    """As the platform reports it: what it cannot count is unknown."""
    report(stage.accounts[customer].organization, readings, reported_at=at, at=at)


def hold_addresses(stage: Stage, customer: str, count: int, at: datetime) -> None:
    for number in range(1, count + 1):
        hold_address(stage.accounts[customer].organization, f"ingress-{number}", "public", actor=ACTOR, at=at)


def cap_production(stage: Stage, customer: str, at: datetime) -> None:
    set_project_quota(
        stage.projects[customer],
        {"cpu": "40", "memory": "160Gi"},
        actor=person(stage.staff["dana"]),
        reason="asked for by the customer: staging needs room",
        at=at,
    )


def ring(at: datetime) -> None:
    """What the worker does every minute."""
    subscription_clock.drain(at + timedelta(seconds=1))
    limits.drain(at)


def _put_team(user: User, terms: dict[str, object], at: datetime) -> None:
    draft = draft_of_what_is_in_force(actor=person(user), at=at)
    document = catalog_of(in_force()).as_document()["plans"]["team"]
    change_section(draft.pk, "plans", "team", {**document, **terms}, seen=draft.sha256, actor=person(user), at=at)
