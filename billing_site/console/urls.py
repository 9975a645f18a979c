"""The console's addresses under /api/, all of them in the seed's dialect, also where there is nothing."""

from django.urls import path, re_path

from billing_site.console.catalog import AddOns, Plans
from billing_site.console.config import Config, Health
from billing_site.console.downgrade import SimulateDowngrade
from billing_site.console.envelope import not_mounted
from billing_site.console.project_quota import ProjectQuota
from billing_site.console.projects import Overview, Projects
from billing_site.console.quota import QuotaStatus, QuotaUsage
from billing_site.console.starting import BoughtAddOn, BoughtAddOns, CustomerPortal, VerifyCheckout, Webhook
from billing_site.console.subscription import OrganizationSubscription

urlpatterns = [
    path("billing/config", Config.as_view()),
    path("billing/health", Health.as_view()),
    path("billing/plans", Plans.as_view()),
    path("billing/addons", AddOns.as_view()),
    path("billing/organization-subscription", OrganizationSubscription.as_view()),
    path("billing/organization-subscription/addons", BoughtAddOns.as_view()),
    path("billing/organization-subscription/addons/<str:addon>", BoughtAddOn.as_view()),
    path("billing/quota-usage", QuotaUsage.as_view()),
    path("billing/quota-status", QuotaStatus.as_view()),
    path("billing/simulate-downgrade", SimulateDowngrade.as_view()),
    path("billing/projects", Projects.as_view()),
    path("billing/project/<str:namespace>/overview", Overview.as_view()),
    path("billing/verify-checkout", VerifyCheckout.as_view()),
    path("billing/customer-portal", CustomerPortal.as_view()),
    path("billing/webhook", Webhook.as_view()),
    path("manage-organization/projects/<str:project>/quota", ProjectQuota.as_view()),
    re_path(r"^(?:billing|manage-organization)(?:/|$)", not_mounted),
]
