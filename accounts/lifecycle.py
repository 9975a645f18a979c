"""Opening organizations, projects and billing accounts, and bringing an account to Ready."""

from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, record
from accounts.conditions import set_condition
from accounts.currencies import exponent
from accounts.errors import Conflict, DomainError, constraints
from accounts.models import (
    BillingAccount,
    ConditionStatus,
    LegalEntity,
    Membership,
    Organization,
    OrganizationRole,
    Phase,
    Project,
    Settlement,
    User,
)


@transaction.atomic
def open_organization(name: str, slug: str, *, owner: User, personal: bool = False, at: datetime) -> Organization:
    """Open an organization; its owner becomes org-admin. Raises Conflict where the slug is taken."""
    taken = Conflict(f"the short name {slug!r} is taken", field="slug")
    with constraints({"organizations_slug_key": taken}):
        organization = Organization.objects.create(name=name, slug=slug, owner=owner, personal=personal, created_at=at)
    Membership.objects.create(organization=organization, user=owner, role=OrganizationRole.ORG_ADMIN, created_at=at)
    return organization


def open_project(organization: Organization, name: str, slug: str, *, at: datetime) -> Project:
    """Open a project. Raises Conflict where the organization has one of that short name."""
    taken = Conflict(f"the organization has a project {slug!r}", field="slug")
    with transaction.atomic(), constraints({"project_slug_once_per_organization": taken}):
        return Project.objects.create(organization=organization, name=name, slug=slug, created_at=at)


@transaction.atomic
def open_billing_account(
    organization: Organization,
    legal_entity: LegalEntity,
    name: str,
    *,
    currency: str,
    settlement: str,
    actor: Actor,
    at: datetime,
) -> BillingAccount:
    """Open an account and bring it to Ready; a card-less account is Ready, what it may do is gated elsewhere.

    Raises CurrencyUnknown, or DomainError for an unknown settlement.
    """
    exponent(currency)
    if settlement not in Settlement.values:
        raise DomainError("settlement is prepaid or postpaid", field="settlement", code="settlement_unknown")
    account = BillingAccount.objects.create(
        organization=organization,
        legal_entity=legal_entity,
        name=name,
        currency=currency,
        settlement=settlement,
        phase=Phase.READY,
        created_at=at,
    )
    set_condition(account.pk, "Ready", status=ConditionStatus.TRUE, reason="BillingAccountReady", at=at)
    record(actor, "billing_account.open", subject=("billing_account", account.pk), account=account, at=at)
    return account
