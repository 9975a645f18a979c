"""Features: what an organization was granted beyond what everyone has. Staff grant and revoke; the rows are kept."""

from datetime import datetime

from django.db import transaction

from accounts.audit import Actor, record, require_reason
from accounts.clock import check_moment
from accounts.errors import Conflict, DomainError, constraints
from accounts.locking import lock_organization
from accounts.models import Feature, FeatureGrant, Organization

WORDS = {Feature.MULTI_BILLING_ACCOUNTS: "may open up to 100 billing accounts"}


class FeatureUnknown(DomainError):
    code = "feature_unknown"
    field = "feature"


def has(organization_id: int, feature: Feature) -> bool:
    """Whether the organization has the feature now."""
    return FeatureGrant.objects.filter(organization_id=organization_id, feature=feature, revoked_at=None).exists()


def known(feature: str) -> Feature:
    """The feature of that name. Raises FeatureUnknown."""
    if feature not in Feature.values:
        raise FeatureUnknown(f"a feature is one of {', '.join(Feature.values)}")
    return Feature(feature)


@transaction.atomic
def grant(organization_id: int, feature: str, *, actor: Actor, reason: str, at: datetime) -> FeatureGrant:
    """Grant a feature from `at` on. Raises NotFound, FeatureUnknown, ReasonRequired, Conflict (`already_granted`)."""
    at, reason, wanted = check_moment(at), require_reason(reason), known(feature)
    organization = lock_organization(organization_id)
    granted = Conflict("the organization has that feature", field="feature", code="already_granted")
    with constraints({"one_open_grant_per_feature": granted}), transaction.atomic():
        row = FeatureGrant.objects.create(organization=organization, feature=wanted, granted_at=at)
    _record("feature.grant", organization, wanted, actor=actor, reason=reason, at=at)
    return row


@transaction.atomic
def revoke(organization_id: int, feature: str, *, actor: Actor, reason: str, at: datetime) -> FeatureGrant:
    """Take a feature back from `at` on; what was opened under it stays.

    Raises NotFound, FeatureUnknown, ReasonRequired, Conflict (`not_granted`).
    """
    at, reason, wanted = check_moment(at), require_reason(reason), known(feature)
    organization = lock_organization(organization_id)
    row = FeatureGrant.objects.filter(organization=organization, feature=wanted, revoked_at=None).first()
    if row is None or at < row.granted_at:
        raise Conflict("the organization does not have that feature", field="feature", code="not_granted")
    row.revoked_at = at
    row.save(update_fields=["revoked_at"])
    _record("feature.revoke", organization, wanted, actor=actor, reason=reason, at=at)
    return row


def _record(
    action: str, organization: Organization, feature: Feature, *, actor: Actor, reason: str, at: datetime
) -> None:
    record(
        actor,
        action,
        subject=("organization", organization.pk),
        organization_id=organization.pk,
        reason=reason,
        after={"feature": str(feature)},
        at=at,
    )
