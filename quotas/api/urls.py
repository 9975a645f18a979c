"""This room's addresses under /api/v1/."""

from django.urls import path

from quotas.api.allocation_acts import Activate, CompleteRelease, Release, ResizeOne
from quotas.api.allocations import Allocations, OneAllocation
from quotas.api.external_ips import ExternalIps, OneExternalIp
from quotas.api.limits import Limits
from quotas.api.project_quotas import ProjectQuota
from quotas.api.quota_checks import QuotaChecks
from quotas.api.skus import OneSku, Rates, Skus
from quotas.api.usage import Usage
from quotas.api.usage_reports import UsageReports

urlpatterns = [
    path("skus", Skus.as_view()),
    path("skus/<str:sku>", OneSku.as_view()),
    path("skus/<str:sku>/rates", Rates.as_view()),
    path("allocations", Allocations.as_view()),
    path("allocations/<str:allocation>", OneAllocation.as_view()),
    path("allocations/<str:allocation>/activate", Activate.as_view()),
    path("allocations/<str:allocation>/resize", ResizeOne.as_view()),
    path("allocations/<str:allocation>/release", Release.as_view()),
    path("allocations/<str:allocation>/complete-release", CompleteRelease.as_view()),
    path("limits", Limits.as_view()),
    path("organizations/<str:organization>/usage", Usage.as_view()),
    path("projects/<str:project>/quota", ProjectQuota.as_view()),
    path("quota-checks", QuotaChecks.as_view()),
    path("usage-reports", UsageReports.as_view()),
    path("external-ips", ExternalIps.as_view()),
    path("external-ips/<str:external_ip>", OneExternalIp.as_view()),
]
