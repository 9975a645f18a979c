"""This room's addresses under /api/v1/."""

from django.urls import path

from accounts.api.account_phases import Archive, Reactivate, Suspend
from accounts.api.activity import BillingAccountActivity, OrganizationActivity
from accounts.api.approvals import Approvals, DecideApproval, OneApproval
from accounts.api.billing_accounts import BillingAccounts, OneBillingAccount
from accounts.api.bindings import Bindings, OneBinding, RebindProject
from accounts.api.caller import Me
from accounts.api.events import Events
from accounts.api.legal_entities import LegalEntities, OneLegalEntity
from accounts.api.members import Members, OneMember, ProjectOfMember, ProjectsOfMember
from accounts.api.organization_features import Features, RevokeFeature
from accounts.api.organizations import BillingAccountQuota, CloseOrganization, OneOrganization, Organizations
from accounts.api.policies import PoliciesInForce, PolicyKeys, PolicyValues
from accounts.api.policy_values import OnePolicyValue
from accounts.api.projects import CloseProject, OneProject, Projects

_ORGANIZATION = "organizations/<str:organization>"
_ACCOUNT = "billing-accounts/<str:billing_account>"

urlpatterns = [
    path("me", Me.as_view()),
    path("events", Events.as_view()),
    path("organizations", Organizations.as_view()),
    path(_ORGANIZATION, OneOrganization.as_view()),
    path(f"{_ORGANIZATION}/close", CloseOrganization.as_view()),
    path(f"{_ORGANIZATION}/activity", OrganizationActivity.as_view()),
    path(f"{_ORGANIZATION}/members", Members.as_view()),
    path(f"{_ORGANIZATION}/members/<str:user>", OneMember.as_view()),
    path(f"{_ORGANIZATION}/members/<str:user>/projects", ProjectsOfMember.as_view()),
    path(f"{_ORGANIZATION}/members/<str:user>/projects/<str:project>", ProjectOfMember.as_view()),
    path(f"{_ORGANIZATION}/features", Features.as_view()),
    path(f"{_ORGANIZATION}/features/<str:feature>/revoke", RevokeFeature.as_view()),
    path(f"{_ORGANIZATION}/billing-account-quota", BillingAccountQuota.as_view()),
    path("projects", Projects.as_view()),
    path("projects/<str:project>", OneProject.as_view()),
    path("projects/<str:project>/close", CloseProject.as_view()),
    path("projects/<str:project>/rebind", RebindProject.as_view()),
    path("bindings", Bindings.as_view()),
    path("bindings/<str:binding>", OneBinding.as_view()),
    path("billing-accounts", BillingAccounts.as_view()),
    path(_ACCOUNT, OneBillingAccount.as_view()),
    path(f"{_ACCOUNT}/activity", BillingAccountActivity.as_view()),
    path(f"{_ACCOUNT}/suspend", Suspend.as_view()),
    path(f"{_ACCOUNT}/reactivate", Reactivate.as_view()),
    path(f"{_ACCOUNT}/archive", Archive.as_view()),
    path("legal-entities", LegalEntities.as_view()),
    path("legal-entities/<str:legal_entity>", OneLegalEntity.as_view()),
    path("policy-keys", PolicyKeys.as_view()),
    path("policies", PolicyValues.as_view()),
    path("policies/effective", PoliciesInForce.as_view()),
    path("policies/<str:key>/<str:subject>", OnePolicyValue.as_view()),
    path("approvals", Approvals.as_view()),
    path("approvals/<str:approval>", OneApproval.as_view()),
    path("approvals/<str:approval>/decide", DecideApproval.as_view()),
]
