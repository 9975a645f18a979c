"""Billing accounts: the list with balances, and the page that shows what four rooms know about one."""

from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from accounts import enforcement
from accounts.admin.account_phases import Archive, Reactivate, Suspend
from accounts.admin.filters import choice
from accounts.admin.newest_first import NewestFirst
from accounts.admin.organizations import NamedAdmin
from accounts.csv_cells import in_csv
from accounts.display import public_id, show_money, tag
from accounts.models import BillingAccount, Phase, Settlement
from accounts.request_abilities import may
from billing_site.back_office.timeline import timeline
from ledger.balances import balance, balances
from ledger.models import AccrualSchedule
from quotas.models import Allocation, AllocationStatus

PHASE_TONES = {"Ready": "good", "Suspended": "bad", "Provisioning": "wait"}
CONDITION_TONES = {"True": "good", "False": "bad", "Unknown": "wait"}
LEVEL_TONES = {"full": "good", "warn": "wait", "restricted": "wait", "halted": "bad"}
SHOWN_ALLOCATIONS = 50


class WithBalances(NewestFirst):
    """One query for the balances of the page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        held = balances(self.result_list)
        for account in self.result_list:
            account.shown_balance = held[account.pk]


@admin.register(BillingAccount)
class BillingAccountAdmin(NamedAdmin):
    act_pages = (Suspend, Reactivate, Archive)
    list_display = (
        "name",
        public_id,
        "organization",
        "settlement",
        tag("phase", "Phase", PHASE_TONES),
        "balance_shown",
    )
    list_select_related = ("organization",)
    list_filter = (
        choice("phase", "phase", lambda: Phase.choices),
        choice("settlement", "settlement", lambda: Settlement.choices),
    )
    search_fields = ("name", "organization__name")
    search_help_text = "ba_…, name, or organization"
    fields = ("name", public_id, "organization", "legal_entity", "currency", "settlement", "phase", "test_now")
    empty_text = "No billing account yet."
    empty_hint = "An account appears when an organization opens one."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NewestFirst]:
        return WithBalances

    @in_csv(("balance_minor", attrgetter("shown_balance.amount_minor")), ("currency", attrgetter("currency")))
    @admin.display(description="Balance")
    def balance_shown(self, row: Any) -> str:
        return show_money(row.shown_balance.amount_minor, row.currency)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": account,
            **_page(account, request),
        }
        return TemplateResponse(request, "admin/accounts/billing_account.html", context)


def _page(account: BillingAccount, request: HttpRequest) -> dict[str, Any]:
    held = balance(account)
    running = (
        Allocation.objects.filter(project__bindings__billing_account=account, project__bindings__superseded_at=None)
        .filter(status__in=[AllocationStatus.ACTIVE, AllocationStatus.RELEASING])
        .select_related("project", "sku")
        .prefetch_related("quantities")
        .order_by("-pk")
    )
    found = list(running[: SHOWN_ALLOCATIONS + 1])
    return {
        "title": account.name,
        "account": account,
        "held": held,
        "balance_words": balance_words(held.amount_minor),
        "level": enforcement.level(account.pk),
        "reasons": account.enforcement_reasons.filter(closed_at=None).order_by("since"),
        "conditions": account.conditions.order_by("type"),
        "schedule": AccrualSchedule.objects.filter(billing_account=account).first(),
        "allocations": found[:SHOWN_ALLOCATIONS],
        "more_allocations": len(found) > SHOWN_ALLOCATIONS,
        "timeline": timeline(account, request.GET.get("below", "")),
        "later": bool(request.GET.get("below")),
        "operates": may(request, "operate"),
        "phase_tones": PHASE_TONES,
        "condition_tones": CONDITION_TONES,
        "level_tones": LEVEL_TONES,
    }


def balance_words(amount_minor: int) -> str:
    """What the sign of a balance means."""
    if amount_minor == 0:
        return "Nothing is owed either way."
    return "The customer has this much with us." if amount_minor > 0 else "The customer owes us this much."
