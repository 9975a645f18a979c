"""What the story is played on: the seller, its price list, and customers with their accounts and projects."""

from dataclasses import dataclass, field
from datetime import datetime

from accounts import policy
from accounts.audit import system
from accounts.bindings import bind
from accounts.lifecycle import open_billing_account, open_organization, open_project
from accounts.models import BillingAccount, LegalEntity, Organization, Project, User
from billing_site.demo.people import open_customer, open_staff
from quotas.models import Sku
from quotas.price_book import open_sku, set_rate

ACTOR = system("demo")
PAST_WINDOW_SECONDS, WINDOW_SECONDS = 3600, 60

# code, name, unit, and the price of a unit and hour by currency
PRICES = (
    ("h100", "H100 80 GB", "GPU", {"USD": "2.50", "EUR": "2.35", "JPY": "380"}),
    ("a100", "A100 40 GB", "GPU", {"USD": "1.29", "EUR": "1.21", "JPY": "195"}),
    ("nvl72", "GB200 NVL72 rack", "rack", {"USD": "98.00"}),
    ("vcpu", "vCPU", "vCPU", {"USD": "0.04", "EUR": "0.037", "JPY": "6"}),
)

# short name, name, owner, settlement, currency
CUSTOMERS = (
    ("aurora", "Aurora Robotics", "Alice Marchetti", "prepaid", "USD"),
    ("borealis", "Borealis Genomics", "Bruno Keller", "postpaid", "USD"),
    ("cinder", "Cinder Studio", "Chiara Rossi", "prepaid", "USD"),
    ("dune", "Dune Weather", "Dario Haddad", "prepaid", "USD"),
    ("ember", "Ember Maps", "Elke Brandt", "prepaid", "EUR"),
    ("fuji", "Fuji Vision", "Fumiko Tanaka", "postpaid", "JPY"),
    ("grove", "Grove Media", "Gwen Price", "prepaid", "USD"),
)


@dataclass
class Stage:
    entity: LegalEntity
    staff: dict[str, User]
    skus: dict[str, Sku] = field(default_factory=dict)
    accounts: dict[str, BillingAccount] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)


def set_stage(at: datetime) -> Stage:
    """Open everything at the story's first moment, on hourly windows and test clocks."""
    entity = LegalEntity.objects.create(
        name="Meridian Cloud Inc", country="US", base_currency="USD", time_zone="America/New_York", created_at=at
    )
    stage = Stage(entity, open_staff())
    for code, name, unit, prices in PRICES:
        stage.skus[code] = open_sku(code, name, unit, at=at)
        for currency, rate in prices.items():
            set_rate(
                stage.skus[code], currency=currency, rate_per_unit_hour=rate, effective_from=at, actor=ACTOR, at=at
            )
    for customer in CUSTOMERS:
        _open_customer(stage, *customer, at=at)
    return stage


def set_window(organization: Organization, seconds: int, *, at: datetime) -> None:
    """The width of the organization's accrual windows from its cursors on."""
    policy.set_value(
        "billing.window_seconds",
        seconds,
        scope="tenant",
        scope_id=organization.pk,
        actor=ACTOR,
        reason="the demo's past is told by the hour, its present by the minute",
        at=at,
    )


def _open_customer(
    stage: Stage, slug: str, name: str, owner: str, settlement: str, currency: str, *, at: datetime
) -> None:
    email = f"{owner.split()[0].lower()}@{slug}.example"
    organization = open_organization(name, slug, owner=open_customer(email, owner), at=at)
    set_window(organization, PAST_WINDOW_SECONDS, at=at)
    account = open_billing_account(
        organization, stage.entity, name, currency=currency, settlement=settlement, actor=ACTOR, at=at
    )
    BillingAccount.objects.filter(pk=account.pk).update(test_now=at)
    stage.accounts[slug] = account
    stage.projects[slug] = open_project(organization, "Production", "production", at=at)
    bind(stage.projects[slug], account, actor=ACTOR, at=at)
