"""Subscriptions: who holds which plan, in which state, at which price; the page of one, with what comes next."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.admin.filters import choice
from accounts.admin.organizations import by_public_id
from accounts.admin.staff_admin import HistoryStaffAdmin
from accounts.csv_cells import in_csv, value_cell
from accounts.display import public_id, show_moment, show_money, show_tag
from accounts.request_abilities import may
from quotas.admin.subscription_assign import AssignPlan
from quotas.admin.subscription_moves import MOVE_PAGES
from quotas.admin.subscription_page import page_of
from quotas.admin.subscription_words import STATES, TONES, next_move, show_next_move
from quotas.models import CatalogItem, ItemKind, Subscription, SubscriptionItem
from quotas.staff_moves import STAFF_MOVES
from quotas.subscription_outlook import held_price


def _plans() -> list[tuple[str, str]]:
    codes = CatalogItem.objects.filter(kind=ItemKind.PLAN).order_by("code").values_list("code", flat=True)
    return [(code, code) for code in codes]


@admin.register(Subscription)
class SubscriptionAdmin(HistoryStaffAdmin):
    act_pages = (AssignPlan, *MOVE_PAGES)
    list_display = ("organization", public_id, "plan", "state", "money_price", "every", "period", "next_move")
    list_select_related = ("organization", "plan")
    list_filter = (
        choice("status", "state", lambda: list(STATES.items())),
        choice("plan", "plan", _plans, lambda rows, code: rows.filter(plan__code=code)),
    )
    search_fields = ("organization__name", "organization__slug")
    search_help_text = "sub_…, or organization"
    fields = ("organization", public_id, "status")
    empty_text = "Nobody holds a plan yet."
    empty_hint = "Assign one with the button above. Without a plan an organization has no limits."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        rows: QuerySet[Subscription] = super().get_queryset(request)
        held = SubscriptionItem.objects.filter(effective_to=None).select_related("price")
        return rows.prefetch_related(Prefetch("items", held, to_attr="held_now"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = by_public_id(queryset, Subscription.PUBLIC_PREFIX, search_term)
        if found is not None:
            return found, False
        return super().get_search_results(request, queryset, search_term)

    @in_csv(("status", lambda row: str(row.status)))
    @admin.display(description="State")
    def state(self, row: Subscription) -> str:
        return show_tag(STATES[row.status], TONES[row.status])

    @in_csv(
        ("price_minor", lambda row: held_price(row, row.held_now).amount_minor),
        ("currency", lambda row: row.currency),
    )
    @admin.display(description="Price")
    def money_price(self, row: Any) -> str:
        return show_money(held_price(row, row.held_now).amount_minor, row.currency)

    @in_csv(("interval", lambda row: row.interval))
    @admin.display(description="Each")
    def every(self, row: Subscription) -> str:
        return row.interval

    @in_csv(
        ("period_start", lambda row: value_cell(row.period_start)),
        ("period_end", lambda row: value_cell(row.period_end)),
    )
    @admin.display(description="Period until")
    def period(self, row: Subscription) -> str:
        return show_moment(row.period_end)

    @in_csv(("next_move", next_move), ("due_at", lambda row: value_cell(row.due_at)))
    @admin.display(description="Next")
    def next_move(self, row: Subscription) -> str:
        return show_next_move(row)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        subscription = self.get_object(request, object_id)
        if subscription is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": subscription,
            "title": f"Subscription of {subscription.organization.name}",
            **page_of(subscription),
            "operates": may(request, "operate"),
            "acts": self._acts_of(subscription),
        }
        return TemplateResponse(request, "admin/quotas/subscription.html", context)

    def _acts_of(self, subscription: Subscription) -> list[dict[str, str]]:
        """The moves that begin where the subscription stands."""
        return [
            {"title": page.title, "url": reverse(f"admin:quotas_subscription_{page.name}", args=[subscription.pk])}
            for page in MOVE_PAGES
            if subscription.status in STAFF_MOVES[page.name].begins
        ]
