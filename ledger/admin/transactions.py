"""Transactions of the book: each with all its entries, which sum to zero."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from accounts.admin.filters import choice, days
from accounts.admin.staff_admin import StaffAdmin
from accounts.display import moment, public_id
from accounts.public_ids import decode
from accounts.request_abilities import may
from ledger.admin.correct import Correct
from ledger.models import LedgerEntry, LedgerTransaction

KINDS = ("usage", "topup", "transfer", "adjustment", "correction")
SHOWN_ENTRIES = 500


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(StaffAdmin):
    act_pages = (Correct,)
    list_display = (public_id, "kind", "business_key", moment("effective_at", "Effective"), "actor", "correlation_id")
    list_filter = (
        choice("kind", "kind", lambda: [(kind, kind) for kind in KINDS]),
        days("effective_at", "day"),
    )
    list_per_page = 100
    search_fields = ("pk",)
    search_help_text = "tx_…, a business key, or a bank reference"
    empty_text = "No transactions."
    empty_hint = "The book begins with the first transfer or the first usage that is billed."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if key := decode(LedgerTransaction.PUBLIC_PREFIX, term):
            return queryset.filter(pk=key), False
        return queryset.filter(business_key__in=[term, f"transfer:{term}"]), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        posted = self.get_object(request, object_id)
        if posted is None:
            raise Http404
        found = LedgerEntry.objects.filter(transaction=posted).select_related("ledger_account", "billing_account")
        entries = list(found.order_by("pk")[: SHOWN_ENTRIES + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": posted.business_key,
            "opts": self.opts,
            "original": posted,
            "posted": posted,
            "entries": entries[:SHOWN_ENTRIES],
            "more": len(entries) > SHOWN_ENTRIES,
            "sums": _sums(posted),
            "corrected_by": LedgerTransaction.objects.filter(business_key=f"correct:{posted.pk}").first(),
            "corrects": posted.kind != "correction" and may(request, "operate"),
        }
        return TemplateResponse(request, "admin/ledger/transaction.html", context)


def _sums(posted: LedgerTransaction) -> list[tuple[str, int]]:
    """The sum of all its entries, by currency; zero for every transaction of the book."""
    sums = LedgerEntry.objects.filter(transaction=posted).values_list("currency").annotate(Sum("amount_minor"))
    return sorted((currency, int(total)) for currency, total in sums)
