"""Plans and add-ons, whatever catalog lists them: their versions side by side, and who holds which."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from accounts.admin.filters import choice
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv
from accounts.display import moment, public_id
from quotas.admin.catalog_tables import terms_table
from quotas.catalog_in_force import terms_of
from quotas.models import CatalogItem, CatalogItemVersion, ItemKind

_OPEN = Q(subscribed__effective_to=None, subscribed__isnull=False)


@dataclass(frozen=True)
class Compared:
    """One thing that versions say, in each of the two; None where a version does not say it."""

    title: str
    first: str | None
    second: str | None

    @property
    def differs(self) -> bool:
        return self.first != self.second


@admin.register(CatalogItem)
class CatalogItemAdmin(StaffAdmin):
    list_display = ("code", "kind", "sold", "versions", "held_by", moment("created_at", "First listed"), public_id)
    list_filter = (choice("kind", "kind", lambda: ItemKind.choices),)
    search_fields = ("code",)
    search_help_text = "Code"
    empty_text = "No catalog is published yet."
    empty_hint = "Plans and add-ons appear here with the first publication."

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogItem]:
        rows: QuerySet[CatalogItem] = super().get_queryset(request)
        sold = Count("versions", filter=Q(versions__retired_at=None), distinct=True)
        held = Count("versions__subscribed", filter=Q(versions__subscribed__effective_to=None), distinct=True)
        return rows.annotate(sold_now=sold, version_count=Count("versions", distinct=True), holders=held)

    @in_csv(("sold", lambda row: bool(row.sold_now)))
    @admin.display(description="Sold", boolean=True)
    def sold(self, row: Any) -> bool:
        return bool(row.sold_now)

    @in_csv(("versions", lambda row: row.version_count))
    @admin.display(description="Versions")
    def versions(self, row: Any) -> str:
        return f"{row.version_count:,}"

    @in_csv(("held_by", lambda row: row.holders))
    @admin.display(description="Held by")
    def held_by(self, row: Any) -> str:
        return f"{row.holders:,}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Its versions with their holders, and two of them side by side (`?first=1&second=2`; the newest two)."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        item = self.get_object(request, object_id)
        if item is None:
            raise Http404
        versions = list(_versions(item))
        first, second = (
            _chosen(versions, request.GET.get(name), place) for name, place in (("first", 1), ("second", 0))
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": item,
            "title": f"{item.get_kind_display().capitalize()} {item.code}",
            "item": item,
            "versions": versions,
            "first": first,
            "second": second,
            "compared": _compared(item, first, second),
            "beside": len(versions) > 1,
        }
        return TemplateResponse(request, "admin/catalog/item.html", context)


def _versions(item: CatalogItem) -> QuerySet[CatalogItemVersion]:
    """Newest first, each with how many subscriptions hold it."""
    rows = CatalogItemVersion.objects.filter(item=item).prefetch_related("prices")
    return rows.annotate(holders=Count("subscribed", filter=_OPEN)).order_by("-number")


def _chosen(versions: list[CatalogItemVersion], asked: str | None, place: int) -> CatalogItemVersion:
    """The version of that number, or the one at that place where there is none."""
    found = next((version for version in versions if str(version.number) == asked), None)
    return found or versions[min(place, len(versions) - 1)]


def _compared(item: CatalogItem, first: CatalogItemVersion, second: CatalogItemVersion) -> list[Compared]:
    before, after = (terms_table(terms_of(version, item.kind)) for version in (first, second))
    titles = [*after, *(title for title in before if title not in after)]
    return [Compared(title, before.get(title), after.get(title)) for title in titles]
