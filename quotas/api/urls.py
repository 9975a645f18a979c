"""This room's addresses under /api/v1/."""

from django.urls import path

from quotas.api.allocation_acts import Activate, CompleteRelease, Release, ResizeOne
from quotas.api.allocations import Allocations, OneAllocation
from quotas.api.skus import OneSku, Rates, Skus

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
]
