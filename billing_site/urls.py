from django.contrib import admin
from django.urls import include, path

from billing_site.demo.issuer import jwks
from billing_site.health import healthz, readyz
from billing_site.metrics import metrics
from billing_site.sign_in.home import home

urlpatterns = [
    path("", home, name="home"),
    path("sign-in/", include("billing_site.sign_in.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("billing_site.api_urls")),
    path("", include("quotas.api.platform_urls")),
    path("demo/jwks.json", jwks),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]

handler500 = "billing_site.faults.server_error"
