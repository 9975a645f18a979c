"""The "Show" button beside a person on a page: a POST to the page itself, answered once with the person shown.

The button is the template tag `person` of `staff_display`, or `billing_details` for what an account's invoices name;
every page of a StaffAdmin answers it.
"""

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts import personal_data, shown_people
from accounts.admin.act_pages import sentence
from accounts.clock import now
from accounts.errors import DomainError
from accounts.models import User


def is_asked(request: HttpRequest) -> bool:
    return request.method == "POST" and shown_people.FIELD in request.POST


def answer(request: HttpRequest, page: Callable[[], HttpResponse]) -> HttpResponse:
    """The page as it is read, with the person who was asked for; where that is refused, back to it with a reason."""
    try:
        kind, key = shown_people.read_ticket(request.POST[shown_people.FIELD], request)
        show = personal_data.show if kind == "user" else personal_data.show_details
        with transaction.atomic():
            show(key, by=cast(User, request.user), page=request.path, at=now())
    except DomainError as error:
        messages.error(request, sentence(error))
        return HttpResponseRedirect(request.get_full_path())
    shown_people.mark(request, (kind, key))
    request.method = "GET"  # pages refuse everything else
    try:
        return page()
    finally:
        request.method = "POST"
