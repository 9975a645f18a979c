"""Usage, window by window, to read: what each cost and which debit charged it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv, value_cell
from accounts.display import NOTHING, account_link, moment, money, plain, public_id
from accounts.public_ids import decode, encode
from ledger.models import LedgerEntry, UsageRecord
from quotas.models import Allocation

_CURRENCY = "billing_account.currency"


@admin.register(UsageRecord)
class UsageRecordAdmin(StaffAdmin):
    list_display = (
        *(public_id, "of_allocation", account_link, "held"),
        *(moment("interval_start", "From"), "length"),
        *(money("cost_minor", "Cost", currency=_CURRENCY), money("waived_minor", "Waived", currency=_CURRENCY)),
    )
    list_select_related = ("billing_account",)
    search_fields = ("pk",)
    search_help_text = "use_…, or alc_… for the windows of an allocation"
    fields = (*list_display, moment("interval_end", "Until"), moment("segment_start", "Counted from"), "rate", "debit")
    empty_text = "No usage is billed."
    empty_hint = "Usage appears when the worker bills an allocation that runs."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if allocation := decode(Allocation.PUBLIC_PREFIX, term):
            return queryset.filter(allocation_id=allocation), False
        key = decode(UsageRecord.PUBLIC_PREFIX, term)
        return (queryset.filter(pk=key) if key else queryset.none()), False

    @in_csv(("allocation", lambda row: encode(Allocation.PUBLIC_PREFIX, row.allocation_id)))
    @admin.display(description="Allocation")
    def of_allocation(self, row: UsageRecord) -> SafeString:
        url = reverse("admin:quotas_allocation_change", args=[row.allocation_id])
        return format_html('<a class="link" href="{}">{}</a>', url, encode(Allocation.PUBLIC_PREFIX, row.allocation_id))

    @in_csv(("quantity", lambda row: f"{row.quantity:f}"))
    @admin.display(description="Quantity")
    def held(self, row: UsageRecord) -> SafeString:
        return format_html('<span class="number">{}</span>', plain(row.quantity))

    @in_csv(("interval_end", lambda row: value_cell(row.interval_end)))
    @admin.display(description="Length")
    def length(self, row: UsageRecord) -> SafeString:
        seconds = f"{(row.interval_end - row.interval_start).total_seconds():.6f}".rstrip("0").rstrip(".")
        return format_html('<span class="number">{} s</span>', seconds)

    @admin.display(description="Rate per unit and hour")
    def rate(self, row: UsageRecord) -> str:
        return f"{plain(row.sku_rate.rate_per_unit_hour)} {row.sku_rate.currency}"

    @admin.display(description="Charged by")
    def debit(self, row: UsageRecord) -> SafeString | str:
        """A window that costs nothing has no debit."""
        entry = LedgerEntry.objects.filter(ledger_account_id=row.ledger_account_id, account_seq=row.account_seq).first()
        if row.account_seq is None or entry is None:
            return NOTHING
        url = reverse("admin:ledger_ledgerentry_change", args=[entry.pk])
        return format_html('<a class="link" href="{}">{}</a>', url, entry.public_id)
