"""Billing accounts: the list with balances, and the page that shows what four rooms know about one."""

from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.html import format_html, strip_tags

from accounts.admin.account_phases import Archive, Reactivate, Suspend
from accounts.admin.activity_pages import AccountActivity
from accounts.admin.closing_acts import DeleteAccount
from accounts.admin.detail_acts import SetAddress, SetContact, SetInvoiceEmails, SetTaxIds
from accounts.admin.filters import choice
from accounts.admin.newest_first import NewestFirst
from accounts.admin.organizations import NamedAdmin
from accounts.admin.terms_acts import SetTerms, SetTimeZone
from accounts.bindings import linked_projects
from accounts.clock import now
from accounts.csv_cells import in_csv, value_cell
from accounts.display import NOTHING, public_id, show_moment, show_money, show_tag, tag
from accounts.models import BillingAccount, Phase, Settlement
from accounts.request_abilities import may
from billing_site.back_office.account_page import page_of, with_all
from billing_site.back_office.spans import show_hourly, span
from billing_site.back_office.state_words import TITLES, TONES
from ledger.balance_rule import projected_depletion
from ledger.balances import balances
from ledger.models import State

PHASE_TONES = {"Ready": "good", "Suspended": "bad", "Provisioning": "wait"}
CONDITION_TONES = {"True": "good", "False": "bad", "Unknown": "wait"}
LEVEL_TONES = {"full": "good", "warn": "wait", "restricted": "wait", "halted": "bad"}
STATUS_TONES = {"active": "good", "requested": "wait", "releasing": "wait"}
_WARNED = (State.LOW_BALANCE, State.AUTO_RELEASE_PENDING)


def _states() -> list[tuple[str, str]]:
    return [("low", "Low, or about to be used up"), *((str(state), title) for state, title in TITLES.items())]


def _in_state(rows: QuerySet[BillingAccount], value: str) -> QuerySet[BillingAccount]:
    return rows.filter(balance_state__state__in=_WARNED if value == "low" else [value])


class WithBalances(NewestFirst):
    """One query for the balances of the page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        held, at = balances(self.result_list), now()
        linked = linked_projects(account.pk for account in self.result_list)
        for account in self.result_list:
            state = getattr(account, "balance_state", None)
            amount_minor = held[account.pk].amount_minor
            account.shown_projects = linked[account.pk]
            account.shown_at = account.test_now or at
            account.shown_balance = held[account.pk]
            account.shown_state = state.state if state else ""
            account.shown_burn = state.burn_minor_per_hour if state else None
            account.shown_depletion = (
                projected_depletion(amount_minor, state.burn_minor_per_hour, account.shown_at) if state else None
            )


@admin.register(BillingAccount)
class BillingAccountAdmin(NamedAdmin):
    act_pages = (
        *(AccountActivity, Suspend, Reactivate, Archive, DeleteAccount),
        *(SetTerms, SetTimeZone, SetContact, SetInvoiceEmails, SetAddress, SetTaxIds),
    )
    list_display = (
        "name",
        public_id,
        "organization",
        tag("phase", "Phase", PHASE_TONES),
        "linked_projects",
        "balance_shown",
        "state",
        "burn_per_hour",
        "projected_depletion",
    )
    list_select_related = ("organization", "balance_state")
    list_filter = (
        choice("state", "balance", _states, _in_state),
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

    @in_csv(("linked_projects_count", attrgetter("shown_projects")))
    @admin.display(description="Projects")
    def linked_projects(self, row: Any) -> str:
        """How many pay through it now."""
        return format_html('<span class="number">{}</span>', row.shown_projects)

    @in_csv(("balance_minor", attrgetter("shown_balance.amount_minor")), ("currency", attrgetter("currency")))
    @admin.display(description="Balance")
    def balance_shown(self, row: Any) -> str:
        return show_money(row.shown_balance.amount_minor, row.currency)

    @in_csv(("settlement", attrgetter("settlement")), ("balance_state", attrgetter("shown_state")))
    @admin.display(description="State")
    def state(self, row: Any) -> str:
        """A postpaid balance has no state: the customer is invoiced."""
        if not row.shown_state:
            return show_tag(row.get_settlement_display(), "calm")
        return show_tag(TITLES[row.shown_state], TONES[row.shown_state])

    @in_csv(("burn_minor_per_hour", lambda row: value_cell(row.shown_burn)))
    @admin.display(description="Burn an hour")
    def burn_per_hour(self, row: Any) -> str:
        return show_hourly(row.shown_burn or None, row.currency)

    @in_csv(("projected_depletion", lambda row: value_cell(row.shown_depletion)))
    @admin.display(description="Used up in")
    def projected_depletion(self, row: Any) -> str:
        """How long it lasts; the moment itself on hover."""
        if row.shown_depletion is None:
            return format_html('<span class="number">{}</span>', NOTHING)
        left = span((row.shown_depletion - row.shown_at).total_seconds())
        return format_html(
            '<span class="number" title="around {}">{}</span>', strip_tags(show_moment(row.shown_depletion)), left
        )

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
            "title": account.name,
            **page_of(account, request.GET.dict(), now()),
            "operates": may(request, "operate"),
            "phase_tones": PHASE_TONES,
            "condition_tones": CONDITION_TONES,
            "level_tones": LEVEL_TONES,
            "status_tones": STATUS_TONES,
        }
        return TemplateResponse(request, "admin/accounts/billing_account.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingAccount]:
        rows: QuerySet[BillingAccount] = super().get_queryset(request)
        match = request.resolver_match
        return with_all(rows) if match and "object_id" in match.kwargs else rows
