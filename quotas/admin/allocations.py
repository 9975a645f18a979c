"""Allocations: what a project holds, since when, and how much of it; the acts begin here."""

from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.filters import choice
from accounts.admin.organizations import by_public_id
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv, value_cell
from accounts.display import moment, plain, public_id, tag
from quotas.admin.allocation_acts import CompleteRelease, RequestRelease, ResizeAllocation
from quotas.admin.allocation_start import StartAllocation
from quotas.models import Allocation, AllocationStatus

TONES = {"active": "good", "requested": "wait", "releasing": "wait"}


@admin.register(Allocation)
class AllocationAdmin(StaffAdmin):
    act_pages = (StartAllocation, ResizeAllocation, RequestRelease, CompleteRelease)
    change_form_before_template = "admin/allocations/acts.html"
    list_display = (
        public_id,
        tag("status", "Status", TONES),
        "project",
        "sku",
        "quantity",
        moment("started_at", "Started"),
        moment("released_at", "Released"),
    )
    list_select_related = ("project", "sku")
    list_filter = (choice("status", "status", lambda: AllocationStatus.choices),)
    exact_search = ("external_id",)
    search_fields = ("project__name",)
    search_help_text = "Public id, external id, or project"
    fields = (
        *(
            public_id,
            "external_id",
            "organization",
            "project",
            "sku",
            tag("status", "Status", TONES),
            "quantities_held",
        ),
        *(moment("requested_at", "Requested"), moment("started_at", "Started")),
        *(moment("release_requested_at", "Release requested"), moment("completed_at", "Machine gone")),
        moment("released_at", "Charged until"),
    )
    empty_text = "Nothing is allocated."
    empty_hint = "An allocation appears when a project starts something, or when you do with the button above."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allocation]:
        rows: QuerySet[Allocation] = super().get_queryset(request)
        return rows.prefetch_related("quantities")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = by_public_id(queryset, Allocation.PUBLIC_PREFIX, search_term)
        if found is not None:
            return found, False
        rows, duplicates = super().get_search_results(request, queryset, search_term)
        return rows, bool(duplicates)

    @in_csv(("quantity", lambda row: value_cell(_held_now(row))), ("unit", attrgetter("sku.unit")))
    @admin.display(description="Quantity")
    def quantity(self, row: Allocation) -> str:
        held = _held_now(row)
        return f"{plain(held)} {row.sku.unit}" if held else "–"

    @admin.display(description="Quantities (UTC)")
    def quantities_held(self, row: Allocation) -> str:
        held = sorted(row.quantities.all(), key=lambda item: item.pk)
        return "; ".join(f"{plain(item.quantity)} from {item.effective_from:%Y-%m-%d %H:%M:%S}" for item in held)


def _held_now(row: Allocation) -> Decimal | None:
    return next((held.quantity for held in row.quantities.all() if held.effective_to is None), None)
