"""What every page of the back office has in common: read-only, by role, newest first. Acts have pages of their own.

Every list can be saved as it is filtered and exported as CSV; every page can show a person on request.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, cast

from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from accounts.admin import csv_export, people
from accounts.admin.list_export import ExportList
from accounts.admin.newest_first import NewestFirst, UncountedPaginator, rows_of
from accounts.admin.saved_filters import DeleteFilter, SaveFilter, shelf
from accounts.csv_cells import Cell
from accounts.display import NOTHING
from accounts.request_abilities import may

_PAGES_OF_A_LIST = (ExportList, SaveFilter, DeleteFilter)


class StaffAdmin(ModelAdmin):  # type: ignore[misc]
    """Nothing is added, changed or deleted through Django's forms: an act checks, previews, audits and happens once."""

    view_ability: ClassVar[str] = "view"
    lists_people: ClassVar[bool] = False  # its rows are persons
    act_pages: ClassVar[Sequence[Any]] = ()
    exact_search: ClassVar[Sequence[str]] = ()  # indexed fields a term may be, tried before `search_fields`
    actions = None
    list_per_page = 50
    sortable_by = ()
    list_filter_submit = True
    list_fullwidth = True
    list_before_template = "admin/list_head.html"
    list_extra_template = ""
    show_facets = ShowFacets.NEVER
    show_full_result_count = False
    empty_value_display = NOTHING
    paginator = UncountedPaginator
    empty_text = "Nothing is here yet."
    empty_hint = ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.view_ability)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, self.view_ability)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NewestFirst]:
        return NewestFirst

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """`search_fields` may look into words and so read the whole table: a list of a long one has only `pk` there."""
        term = search_term.strip()
        for name in self.exact_search if term else ():
            if self.model._default_manager.filter(**{name: term}).exists():
                return queryset.filter(**{name: term}), False
        if term and self.exact_search and tuple(self.search_fields) == ("pk",):
            return queryset.none(), False
        rows, duplicates = super().get_search_results(request, queryset, search_term)
        return rows, bool(duplicates)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return cast(Sequence[Any], flatten_fieldsets(self.get_fieldsets(request, obj)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what a filter of this list offers; other lookups could ask for anything, however slow."""
        return any(lookup in getattr(item, "parameters", ()) for item in self.get_list_filter(request))

    @property
    def list_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                page.path,
                self.admin_site.admin_view(page.as_view(model_admin=self)),
                name=f"{self.list_name}_{page.name}",
            )
            for page in (*self.act_pages, *_PAGES_OF_A_LIST)
        ]
        change = self.admin_site.admin_view(self.page)
        return [*own, path("<path:object_id>/change/", change, name=f"{self.list_name}_change"), *super().get_urls()]

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page of a row. A POST that asks for a person is answered with the same page, the person shown."""
        if people.is_asked(request):
            return people.answer(request, lambda: self.change_view(request, object_id))
        return cast(HttpResponse, self.change_view(request, object_id))

    def csv(self, change_list: NewestFirst, request: HttpRequest) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
        """The header of the list's CSV, and its rows, read as they are written."""
        columns = csv_export.columns_of(self)
        return [name for name, _ in columns], csv_export.cells_of(columns, rows_of(change_list, request))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's own log of edits stays empty: what happened is in the audit log."""
        raise Http404

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context |= {"show_history": isinstance(self, HistoryStaffAdmin), "operates": may(request, "operate")}
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {
            "acts": self._acts(request),
            "exports": reverse(f"admin:{self.list_name}_export"),
            **shelf(self, request),
            "list_extra_template": self.list_extra_template,
            **(extra_context or {}),
        }
        return cast(HttpResponse, super().changelist_view(request, context))

    def _acts(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Title and address of the acts that begin at this list and that the reader may do."""
        pages = [page for page in self.act_pages if "<" not in page.path and may(request, page.ability)]
        return [(page.title, reverse(f"admin:{self.list_name}_{page.name}")) for page in pages]


class HistoryStaffAdmin(SimpleHistoryAdmin, StaffAdmin):  # type: ignore[misc]
    """As StaffAdmin, with the history of the row to read."""

    object_history_list_template = "admin/history_list.html"
    object_history_form_template = "admin/history_version.html"

    def has_view_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.view_ability)

    def has_change_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # A POST here would write the old version back; "revert disabled" only hides its button.
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return cast(HttpResponse, super().history_form_view(request, object_id, version_id, extra_context))
