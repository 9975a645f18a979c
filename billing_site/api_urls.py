"""The REST API: each room brings its own addresses; what none of them has answers as a problem."""

from django.urls import include, path, re_path

from accounts.api.problems import not_found

urlpatterns = [
    path("v1/", include("accounts.api.urls")),
    path("v1/", include("ledger.api.urls")),
    path("v1/", include("payments.api.urls")),
    path("v1/", include("quotas.api.urls")),
    re_path(r"", not_found),
]
