"""The list of policy values that are set, and the way to the pages of each subject."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.filters import choice
from accounts.admin.policy_acts import SetPolicy, UnsetPolicy
from accounts.admin.policy_links import link
from accounts.admin.policy_pages import Changes, EffectiveValues, PoliciesOf
from accounts.admin.staff_admin import HistoryStaffAdmin
from accounts.csv_cells import in_csv
from accounts.display import moment
from accounts.models import BillingAccount, Organization, PolicyScope, PolicyValue, Project
from accounts.policy_keys import KEYS
from accounts.policy_scopes import WORDS, public_id_at
from accounts.policy_text import show_raw, show_value


@admin.register(PolicyValue)
class PolicyValueAdmin(HistoryStaffAdmin):
    act_pages = (SetPolicy, UnsetPolicy)
    policy_pages = (PoliciesOf, EffectiveValues, Changes)
    list_display = ("key", "applies_to", "shown_value", moment("updated_at", "Set"))
    list_filter = (
        choice("key", "key", lambda: [(name, name) for name in KEYS]),
        choice("scope", "scope", lambda: [(str(scope), WORDS[scope]) for scope in PolicyScope.values]),
    )
    search_fields = ("key",)
    search_help_text = "Key"
    fields = ("key", "applies_to", "shown_value", moment("updated_at", "Set"))
    change_form_before_template = "admin/policies/row_links.html"
    list_extra_template = "admin/policies/list_head.html"
    empty_text = "No policy is set: the shipped defaults are in force."
    empty_hint = "Set one with the button above."

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(page.path, self.admin_site.admin_view(page.as_view(model_admin=self)), name=self._named(page.name))
            for page in self.policy_pages
        ]
        return [*pages, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyValue]:
        """With the name of the organization or project, and the currencies of its accounts, in the same query."""
        rows = cast(QuerySet[PolicyValue], super().get_queryset(request))
        accounts = BillingAccount.objects.filter(organization=OuterRef("scope_id")).order_by("currency")
        return rows.annotate(
            organization_name=Subquery(Organization.objects.filter(pk=OuterRef("scope_id")).values("name")[:1]),
            project_name=Subquery(Project.objects.filter(pk=OuterRef("scope_id")).values("name")[:1]),
            first_currency=Subquery(accounts.values("currency")[:1]),
            last_currency=Subquery(accounts.reverse().values("currency")[:1]),
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        addresses = {"everyone_url": link("of"), "of_url": link("of"), "effective_url": link("effective")}
        context = {"policy_keys": KEYS.values(), **addresses, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description="For")
    @in_csv(
        ("scope", lambda row: row.scope),
        ("subject", lambda row: _public_id(row)),
        ("subject_name", lambda row: _name(row)),
    )
    def applies_to(self, row: PolicyValue) -> SafeString | str:
        words = f"{WORDS[row.scope]} {_name(row)}" if row.scope_id else _name(row)
        if row.scope_id and not _public_id(row):
            return words
        return format_html('<a class="link" href="{}">{}</a>', link("of", _public_id(row)), words)

    @admin.display(description="Value")
    @in_csv(("value", lambda row: show_raw(row.value)))
    def shown_value(self, row: PolicyValue) -> SafeString:
        key = KEYS.get(row.key)
        shown = show_value(key, row.value, _currency(row)) if key else show_raw(row.value)
        return format_html('<span title="{}">{}</span>', show_raw(row.value), shown)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context["original"]
        pages = ("set", "unset", "changes", "of") if row else ()
        context["policy_urls"] = {page: link(page, _public_id(row), row.key) for page in pages}
        return super().render_change_form(request, context, *args, **kwargs)

    def _named(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"


def _name(row: Any) -> str:
    if row.scope_id is None:
        return "everyone"
    names = {"tenant": row.organization_name, "project": row.project_name}
    return names.get(row.scope) or _public_id(row) or str(row.scope_id)


def _currency(row: Any) -> str | None:
    """The currency of an organization's accounts, where they share one."""
    shared = row.scope == PolicyScope.TENANT and row.first_currency == row.last_currency
    return row.first_currency if shared else None


def _public_id(row: PolicyValue) -> str:
    return public_id_at(row.scope, row.scope_id)
