"""How many billing accounts an organization may have open: a policy, raised by a granted feature.

Archived ones do not count. Source of the figures: seed 000, one by default; the feature adds 99, up to a ceiling of
100. Where the policy is above the ceiling, the policy stands: a feature never takes away.
"""

from dataclasses import dataclass

from accounts import features
from accounts.errors import Forbidden
from accounts.models import BillingAccount, Feature, Organization, Phase
from accounts.policy import effective
from accounts.policy_scopes import organization_scope

KEY = "accounts.billing_accounts_per_organization"
ADDED_BY_FEATURE = 99
CEILING_OF_FEATURE = 100


class AccountQuotaReached(Forbidden):
    code = "billing_accounts_quota"
    field = "organization"


@dataclass(frozen=True)
class AccountQuota:
    """How many accounts are open, how many may be, and whether the feature has a part in that."""

    used: int
    allowed: int
    raised: bool

    @property
    def full(self) -> bool:
        return self.used >= self.allowed


def allowed(by_policy: int, *, raised: bool) -> int:
    return max(by_policy, min(by_policy + ADDED_BY_FEATURE, CEILING_OF_FEATURE)) if raised else by_policy


def quota_of(organization: Organization) -> AccountQuota:
    """The quota as of now."""
    raised = features.has(organization.pk, Feature.MULTI_BILLING_ACCOUNTS)
    used = BillingAccount.objects.filter(organization=organization).exclude(phase=Phase.ARCHIVED).count()
    return AccountQuota(used, allowed(effective(KEY, organization_scope(organization)), raised=raised), raised)


def require_room(organization: Organization) -> None:
    """Whether one more account may be opened; the caller holds the organization's lock. Raises AccountQuotaReached."""
    quota = quota_of(organization)
    if quota.full:
        raise AccountQuotaReached(f"the organization has {quota.used} of {quota.allowed} billing accounts")
