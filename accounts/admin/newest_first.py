"""Lists without COUNT(*) and without OFFSET: newest first, and the next page begins after the last row seen.

Rows stand in the order of their keys. A list that is filtered by days stands in the order of that moment instead: its
index leads to the rows of an old day at once, where going down the keys would read all that came later.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import DateTimeField, F, Func, QuerySet, TextField, Value
from django.db.models.lookups import LessThan
from django.http import HttpRequest
from unfold.views import ChangeList

AFTER = "after"
_LARGEST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Mark = tuple[datetime | None, int]


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Names the template that offers the next page; it is never asked how many there are."""

    template_name = "admin/newest_first_pagination.html"

    @property
    def count(self) -> int:
        raise RuntimeError("this list does not count its rows")


class NewestFirst(ChangeList):  # type: ignore[misc]
    """A change list, newest first. `?after=<mark>` continues below a row."""

    next_page = ""
    first_page = ""
    moment_field = ""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.after = request.GET.get(AFTER, "")
        super().__init__(request, *args, **kwargs)

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return {key: value for key, value in super().get_filters_params(params).items() if key != AFTER}

    def get_query_string(self, new_params: dict[str, Any] | None = None, remove: list[str] | None = None) -> str:
        """Another filter begins at the top again."""
        return str(super().get_query_string(new_params, [*(remove or []), AFTER]))

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[str]:
        days = (spec for spec in self.filter_specs if getattr(spec, "moment", "") and spec.used_parameters)
        self.moment_field = next((spec.moment for spec in days), "")
        return [f"-{self.moment_field}", "-pk"] if self.moment_field else ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """One page and a look at whether another follows."""
        rows = self.below(self.queryset, read_mark(self.after))
        found = list(rows[: self.list_per_page + 1])
        self.result_list = found[: self.list_per_page]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.next_page = self.first_page = ""
        if len(found) > self.list_per_page:
            self.next_page = self.get_query_string({AFTER: self.mark_of(self.result_list[-1])})
        if self.after:
            self.first_page = self.get_query_string()

    def mark_of(self, row: Any) -> str:
        """Where the page after this row begins."""
        return write_mark((getattr(row, self.moment_field) if self.moment_field else None, row.pk))

    def below(self, rows: QuerySet[Any], mark: Mark | None) -> QuerySet[Any]:
        """The rows that follow a mark; all of them where it is no mark of this order."""
        if mark is None or bool(self.moment_field) != (mark[0] is not None):
            return rows
        moment, key = mark
        if moment is None:
            return rows.filter(pk__lt=key)
        return rows.filter(LessThan(_pair(F(self.moment_field), F("pk")), _pair(Value(moment, DateTimeField()), key)))


def values_of(change_list: NewestFirst, fields: Sequence[str], *, chunk: int = 2000) -> Iterator[tuple[Any, ...]]:
    """Every row of a list as filtered: its key, then the fields, in chunks; no transaction is held open."""
    moment = [change_list.moment_field] if change_list.moment_field else []
    rows = change_list.queryset.select_related(None).values_list(*moment, "pk", *fields)
    found = list(rows[:chunk])
    while found:
        yield from (row[len(moment) :] for row in found)
        if len(found) < chunk:
            return
        last = found[-1]
        found = list(change_list.below(rows, (last[0] if moment else None, last[len(moment)]))[:chunk])


def rows_of(change_list: NewestFirst, request: HttpRequest, *, chunk: int = 1000) -> Iterator[Any]:
    """Every row of a list as filtered, with what the list itself reads for a page of them; one page at a time."""
    change_list.list_per_page = chunk
    change_list.after = ""
    while True:
        change_list.get_results(request)
        yield from change_list.result_list
        if not change_list.next_page:
            return
        change_list.after = change_list.mark_of(change_list.result_list[-1])


def write_mark(mark: Mark) -> str:
    """`<key>`, or `<microseconds since 1970>.<key>` in a list by moments."""
    moment, key = mark
    return f"{(moment - _EPOCH) // _MICROSECOND}.{key}" if moment else str(key)


def read_mark(text: str) -> Mark | None:
    """The mark that was written, or None where the text is none."""
    moment, _, key = text.rpartition(".")
    if not _is_whole(key) or (moment and not _is_whole(moment)):
        return None
    try:
        return (_EPOCH + int(moment) * _MICROSECOND if moment else None), min(int(key), _LARGEST)
    except OverflowError:
        return None


def _pair(moment: Any, key: Any) -> Func:
    """Compared as one: the form that an index over both columns answers."""
    return Func(moment, key, function="ROW", output_field=TextField())


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19
