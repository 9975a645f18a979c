"""The REST API: each room brings its own addresses; what none of them has answers as a problem."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from accounts.api.problems import not_found

urlpatterns = [
    path("v1/", include("accounts.api.urls")),
    path("v1/", include("ledger.api.urls")),
    path("v1/", include("payments.api.urls")),
    path("v1/", include("quotas.api.urls")),
    path("schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("", include("billing_site.console.urls")),
    re_path(r"", not_found),
]
