"""Opening organizations, projects and billing accounts, and bringing an account to Ready."""

from datetime import datetime

from django.db import transaction

from accounts import account_quota
from accounts.audit import Actor, optional_reason, record, system
from accounts.conditions import set_condition
from accounts.currencies import exponent
from accounts.errors import Conflict, DomainError, constraints
from accounts.external_ids import check_external_id
from accounts.locking import lock_open_organization
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
    TrustedIssuer,
    User,
)
from accounts.names import check_name, check_slug

_PLATFORM = system("platform")  # which opens what its customers sign up for
_KNOWN = Conflict("something else has that external id", field="external_id", code="external_id_taken")


@transaction.atomic
def open_organization(
    name: str,
    slug: str,
    *,
    owner: User,
    personal: bool = False,
    external_id: str | None = None,
    role: str = OrganizationRole.ORG_ADMIN,
    issuer: TrustedIssuer | None = None,
    actor: Actor = _PLATFORM,
    reason: str | None = None,
    at: datetime,
) -> Organization:
    """Open an organization; its owner becomes org-admin, unless the token that opened it claims less.

    Raises NameInvalid, ExternalIdInvalid, and Conflict where the slug or external id is taken or the owner has a
    personal organization already.
    """
    name, slug, reason = check_name(name), check_slug(slug), optional_reason(reason)
    own = {"name": name, "slug": slug, "external_id": check_external_id(external_id)}
    taken = Conflict(f"the short name {slug!r} is taken", field="slug")
    second = Conflict("the person has a personal organization", field="personal", code="one_personal_organization")
    meanings = {"organizations_slug_key": taken, "one_personal_organization_per_user": second}
    meanings["organization_external_id_once"] = _KNOWN
    with constraints(meanings), transaction.atomic():
        organization = Organization.objects.create(**own, owner=owner, personal=personal, issuer=issuer, created_at=at)
    Membership.objects.create(organization=organization, user=owner, role=role, created_at=at)
    record(
        actor,
        "organization.open",
        subject=("organization", organization.pk),
        organization_id=organization.pk,
        reason=reason,
        after={"organization": organization.public_id, "owner": owner.public_id},
        at=at,
    )
    return organization


@transaction.atomic
def open_project(
    organization: Organization,
    name: str,
    slug: str,
    *,
    external_id: str | None = None,
    actor: Actor = _PLATFORM,
    reason: str | None = None,
    at: datetime,
) -> Project:
    """Open a project.

    Raises NameInvalid, ExternalIdInvalid, NotFound, Conflict (`closed`; `external_id_taken`; `conflict`: the
    organization has one of that short name).
    """
    name, slug, reason = check_name(name), check_slug(slug), optional_reason(reason)
    own = {"name": name, "slug": slug, "external_id": check_external_id(external_id)}
    taken = Conflict(f"the organization has a project {slug!r}", field="slug")
    organization = lock_open_organization(organization.pk)
    meanings = {"project_slug_once_per_organization": taken, "project_external_id_once": _KNOWN}
    with constraints(meanings), transaction.atomic():
        project = Project.objects.create(organization=organization, **own, created_at=at)
    record(
        actor,
        "project.open",
        subject=("project", project.pk),
        organization_id=organization.pk,
        reason=reason,
        after={"project": project.public_id},
        at=at,
    )
    return project


@transaction.atomic
def open_billing_account(
    organization: Organization,
    legal_entity: LegalEntity,
    name: str,
    *,
    currency: str,
    settlement: str,
    external_id: str | None = None,
    actor: Actor,
    reason: str | None = None,
    at: datetime,
) -> BillingAccount:
    """Open an account and bring it to Ready; a card-less account is Ready, what it may do is gated elsewhere.

    Its payment terms are the standard ones.

    Raises NameInvalid, ExternalIdInvalid, CurrencyUnknown, AccountQuotaReached, NotFound, Conflict
    (`closed`, `external_id_taken`), or DomainError for an unknown settlement.
    """
    exponent(currency)
    name, reason = check_name(name), optional_reason(reason)
    if settlement not in Settlement.values:
        raise DomainError("settlement is prepaid or postpaid", field="settlement", code="settlement_unknown")
    organization = lock_open_organization(organization.pk)
    account_quota.require_room(organization)
    terms = {"currency": currency, "settlement": settlement, "external_id": check_external_id(external_id)}
    with constraints({"account_external_id_once": _KNOWN}), transaction.atomic():
        account = BillingAccount.objects.create(
            organization=organization,
            legal_entity=legal_entity,
            name=name,
            **terms,
            phase=Phase.READY,
            created_at=at,
        )
    set_condition(account.pk, "Ready", status=ConditionStatus.TRUE, reason="BillingAccountReady", at=at)
    record(
        actor, "billing_account.open", subject=("billing_account", account.pk), account=account, reason=reason, at=at
    )
    return account
