"""The fixed cast of every test: who owns, who belongs, who is a stranger, who is staff."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from accounts import features
from accounts.audit import system
from accounts.bindings import bind
from accounts.lifecycle import open_billing_account, open_organization, open_project
from accounts.models import (
    BillingAccount,
    Feature,
    LegalEntity,
    Membership,
    Organization,
    OrganizationRole,
    Project,
    User,
)
from ledger.months import ensure_month
from quotas.models import Sku
from quotas.price_book import open_sku, set_rate
from tests.signing_in import enrol

ACTOR = system("test")
PASSWORD = "correct horse battery"
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Cast:
    alice: User  # owns the organization Acme
    bob: User  # belongs to it
    charlie: User  # a stranger, with an organization of his own
    dana: User  # finance staff: operator
    erin: User  # finance staff: approver
    acme: Organization
    strangers: Organization
    entity: LegalEntity
    prepaid: BillingAccount
    postpaid: BillingAccount
    foreign: BillingAccount
    project: Project  # pays from the prepaid account
    postpaid_project: Project
    gpu: Sku  # 2.50 USD per GPU and hour


@cache
def _hash() -> str:
    """Hashed once: the real hasher is slow on purpose."""
    return make_password(PASSWORD)


def _user(email: str, name: str, *, is_staff: bool = False) -> User:
    return User.objects.create(email=email, display_name=name, is_staff=is_staff, password=_hash())


def _staff(email: str, name: str, *groups: str) -> User:
    user = _user(email, name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    enrol(user)
    return user


def allow_many_accounts(organization: Organization) -> None:
    """One account each is what organizations have without this."""
    features.grant(organization.pk, Feature.MULTI_BILLING_ACCOUNTS, actor=ACTOR, reason="several", at=BEGINNING)


def gather() -> Cast:
    """Bring everyone on stage at the beginning of 2026."""
    alice = _user("alice@acme.example", "Alice")
    bob = _user("bob@acme.example", "Bob")
    charlie = _user("charlie@else.example", "Charlie")
    entity = LegalEntity.objects.create(
        name="Countinghouse Inc", country="US", base_currency="USD", time_zone="America/New_York", created_at=BEGINNING
    )
    acme = open_organization("Acme", "acme", owner=alice, at=BEGINNING)
    Membership.objects.create(organization=acme, user=bob, role=OrganizationRole.PROJECT_USER, created_at=BEGINNING)
    allow_many_accounts(acme)
    strangers = open_organization("Elsewhere", "elsewhere", owner=charlie, at=BEGINNING)
    prepaid, postpaid = (
        open_billing_account(acme, entity, f"Acme {kind}", currency="USD", settlement=kind, actor=ACTOR, at=BEGINNING)
        for kind in ("prepaid", "postpaid")
    )
    foreign = open_billing_account(
        strangers, entity, "Elsewhere", currency="USD", settlement="prepaid", actor=ACTOR, at=BEGINNING
    )
    project = open_project(acme, "Training", "training", at=BEGINNING)
    postpaid_project = open_project(acme, "Serving", "serving", at=BEGINNING)
    bind(project, prepaid, actor=ACTOR, at=BEGINNING)
    bind(postpaid_project, postpaid, actor=ACTOR, at=BEGINNING)
    gpu = open_sku("gpu", "GPU", "GPU", at=BEGINNING)
    set_rate(gpu, currency="USD", rate_per_unit_hour="2.50", effective_from=BEGINNING, actor=ACTOR, at=BEGINNING)
    for month in range(1, 13):
        ensure_month(BEGINNING.date().replace(month=month))
    return Cast(
        alice=alice,
        bob=bob,
        charlie=charlie,
        dana=_staff("dana@countinghouse.example", "Dana", "finance-operator"),
        erin=_staff("erin@countinghouse.example", "Erin", "finance-approver"),
        acme=acme,
        strangers=strangers,
        entity=entity,
        prepaid=prepaid,
        postpaid=postpaid,
        foreign=foreign,
        project=project,
        postpaid_project=postpaid_project,
        gpu=gpu,
    )
