"""The paths a platform already calls (seed 004): /allocations, with the same acts as under /api/v1."""

from django.urls import path

from accounts.api.plain_refusals import PlainRefusals
from quotas.api import allocation_acts, allocations


class Allocations(PlainRefusals, allocations.Allocations):
    pass


class OneAllocation(PlainRefusals, allocations.OneAllocation):
    pass


class Activate(PlainRefusals, allocation_acts.Activate):
    pass


class ResizeOne(PlainRefusals, allocation_acts.ResizeOne):
    pass


class Release(PlainRefusals, allocation_acts.Release):
    pass


class CompleteRelease(PlainRefusals, allocation_acts.CompleteRelease):
    pass


urlpatterns = [
    path("allocations", Allocations.as_view()),
    path("allocations/<str:allocation>", OneAllocation.as_view()),
    path("allocations/<str:allocation>/activate", Activate.as_view()),
    path("allocations/<str:allocation>/resize", ResizeOne.as_view()),
    path("allocations/<str:allocation>/release", Release.as_view()),
    path("allocations/<str:allocation>/releasing.completed", CompleteRelease.as_view()),
]
