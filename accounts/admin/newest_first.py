"""Lists without COUNT(*) and without OFFSET: newest first, and the next page begins after the last row seen."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin.views.main import ChangeList as DjangoChangeList
from django.core.paginator import Paginator
from django.http import HttpRequest
from unfold.views import ChangeList

AFTER = "after"
_LARGEST = 2**63 - 1


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Names the template that offers the next page; it is never asked how many there are."""

    template_name = "admin/newest_first_pagination.html"

    @property
    def count(self) -> int:
        raise RuntimeError("this list does not count its rows")


class NewestFirst(ChangeList):  # type: ignore[misc]
    """A change list in key order. `?after=<key>` continues below a row."""

    next_page = ""
    first_page = ""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.after = _key(request.GET.get(AFTER, ""))
        super().__init__(request, *args, **kwargs)

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return {key: value for key, value in super().get_filters_params(params).items() if key != AFTER}

    def get_query_string(self, new_params: dict[str, Any] | None = None, remove: list[str] | None = None) -> str:
        """Another filter begins at the top again."""
        return str(super().get_query_string(new_params, [*(remove or []), AFTER]))

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[str]:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """One page and a look at whether another follows."""
        rows = self.queryset.filter(pk__lt=self.after) if self.after else self.queryset
        found = list(rows[: self.list_per_page + 1])
        self.result_list = found[: self.list_per_page]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        if len(found) > self.list_per_page:
            self.next_page = self.get_query_string({AFTER: self.result_list[-1].pk})
        if self.after:
            self.first_page = self.get_query_string()


def values_of(change_list: DjangoChangeList, fields: Sequence[str], *, chunk: int = 2000) -> Iterator[tuple[Any, ...]]:
    """Every row of a list as filtered: its key, then the fields, in chunks by key; no transaction is held open."""
    rows = change_list.queryset.select_related(None).values_list("pk", *fields)
    found = list(rows[:chunk])
    while found:
        yield from found
        if len(found) < chunk:
            return
        found = list(rows.filter(pk__lt=found[-1][0])[:chunk])


def _key(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    return min(int(text), _LARGEST)
