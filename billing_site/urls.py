from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from billing_site.health import healthz, readyz
from billing_site.metrics import metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", include("billing_site.api_urls")),
    path("", include("quotas.api.platform_urls")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]

handler500 = "billing_site.faults.server_error"
