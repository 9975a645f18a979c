"""The first page of whoever signed in: staff go to the back office, customers see where they belong."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from accounts.models import Membership, User
from accounts.request_abilities import may


@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    if may(request, "view"):
        return redirect("admin:index")
    memberships = (
        Membership.objects.filter(user=cast(User, request.user), withdrawn_at=None, organization__closed_at=None)
        .select_related("organization")
        .order_by("organization__name")
    )
    return render(request, "sign_in/home.html", {"memberships": memberships})
