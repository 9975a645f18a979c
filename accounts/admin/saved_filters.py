"""Saving the filters of a list under a name, and the chips above it that lead back to them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View

from accounts import saved_filters
from accounts.admin.act_pages import sentence
from accounts.admin.newest_first import AFTER
from accounts.clock import now
from accounts.errors import DomainError
from accounts.models import User


@dataclass(frozen=True)
class Chip:
    name: str
    url: str
    delete_url: str
    active: bool


def offered_by(model_admin: Any, request: HttpRequest) -> set[str]:
    """The parameters that a list can be narrowed by."""
    filters = {name for item in model_admin.get_list_filter(request) for name in getattr(item, "parameters", ())}
    return filters | ({SEARCH_VAR} if model_admin.get_search_fields(request) else set())


def shelf(model_admin: Any, request: HttpRequest) -> dict[str, Any]:
    """For the template of a list: the reader's chips, and where the present filters are saved if that is worth it."""
    offered = offered_by(model_admin, request)
    if not offered:
        return {}
    query = _present_query(request, offered)
    saved = saved_filters.of(cast(User, request.user), model_admin.list_name)
    chips = [
        Chip(
            row.name,
            f"{_address(model_admin, 'changelist')}?{row.query}",
            _address(model_admin, "delete_filter", row.pk),
            row.query == query,
        )
        for row in saved
    ]
    new = query and len(saved) < saved_filters.MOST and not any(chip.active for chip in chips)
    return {
        "chips": chips,
        "save_url": f"{_address(model_admin, 'save_filter')}?{query}" if new else "",
        "longest_name": saved_filters.LONGEST_NAME,
    }


class SavedFilterPage(ABC, View):
    """A button above the list: it acts, says what happened and leads back to the list."""

    model_admin: Any = None
    http_method_names = ["post"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.model_admin.has_view_permission(request):
            raise PermissionDenied
        query = request.META.get("QUERY_STRING", "")
        try:
            said, query = self.act(request, **kwargs)
            messages.success(request, said)
        except DomainError as error:
            messages.error(request, sentence(error))
        return HttpResponseRedirect(f"{_address(self.model_admin, 'changelist')}{'?' if query else ''}{query}")

    @abstractmethod
    def act(self, request: HttpRequest, **kwargs: Any) -> tuple[str, str]:
        """What to say, and the query of the list to show. Raises DomainError."""


class SaveFilter(SavedFilterPage):
    name = "save_filter"
    path = "filters/save/"

    def act(self, request: HttpRequest, **_: Any) -> tuple[str, str]:
        parameters = {name: str(value) for name, value in request.GET.items() if name != AFTER}
        offered = offered_by(self.model_admin, request)
        saved_filters.query_of(parameters, offered=offered)
        try:
            self.model_admin.get_changelist_instance(request)
        except (IncorrectLookupParameters, SuspiciousOperation):
            raise saved_filters.FilterInvalid("a filter has a value that this list does not offer") from None
        saved = saved_filters.save(
            cast(User, request.user),
            self.model_admin.list_name,
            request.POST.get("name", ""),
            parameters,
            offered=offered,
            at=now(),
        )
        return f"Saved as “{saved.name}”.", saved.query


class DeleteFilter(SavedFilterPage):
    name = "delete_filter"
    path = "filters/<int:key>/delete/"

    def act(self, request: HttpRequest, **kwargs: Any) -> tuple[str, str]:
        name = saved_filters.delete(cast(User, request.user), self.model_admin.list_name, kwargs["key"])
        return f"The filter “{name}” is deleted; the rows are where they were.", request.META.get("QUERY_STRING", "")


def _present_query(request: HttpRequest, offered: set[str]) -> str:
    try:
        present = {name: str(value) for name, value in request.GET.items() if name in offered}
        return saved_filters.query_of(present, offered=offered)
    except DomainError:
        return ""


def _address(model_admin: Any, page: str, *arguments: Any) -> str:
    return reverse(f"admin:{model_admin.list_name}_{page}", args=arguments)
