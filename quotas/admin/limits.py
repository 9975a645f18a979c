"""The limits in force, as the cluster writes them; read only: they follow from plan, catalog and enforcement level."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin.filters import choice
from accounts.admin.organizations import by_public_id
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv, value_cell
from accounts.display import NOTHING, moment, pairs
from accounts.models import Organization
from quotas.admin.project_quota_acts import RemoveProjectQuota, SetProjectQuota
from quotas.admin.quota_page import QuotaOfOrganization
from quotas.models import Limit, LimitKind


@admin.register(Limit)
class LimitAdmin(StaffAdmin):
    act_pages = (QuotaOfOrganization, SetProjectQuota, RemoveProjectQuota)
    list_display = (
        "quota_of",
        "project",
        "kind_words",
        "name",
        "written",
        "plan_code",
        "managed",
        moment("computed_at", "Computed"),
    )
    list_select_related = ("organization", "project")
    list_filter = (
        choice("kind", "kind", lambda: [(value, label) for value, label in LimitKind.choices]),
        choice(
            "auto_managed",
            "whose",
            lambda: [("ours", "kept by us"), ("theirs", "left alone")],
            lambda rows, value: rows.filter(auto_managed=value == "ours"),
        ),
    )
    search_fields = ("organization__name", "=organization__slug", "=plan_code")
    search_help_text = "org_…, organization, or plan"
    fields = (*list_display[:4], pairs("values", "Values"), pairs("labels", "Labels"), *list_display[5:])
    empty_text = "Nothing is limited."
    empty_hint = "Limits appear when a catalog is published and an organization is assigned a plan."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        named = by_public_id(Organization.objects.all(), Organization.PUBLIC_PREFIX, search_term)
        if named is not None:
            return queryset.filter(organization__in=named), False
        return super().get_search_results(request, queryset, search_term)

    @in_csv(
        ("organization", lambda row: row.organization.public_id),
        ("organization_name", lambda row: row.organization.name),
    )
    @admin.display(description="Organization")
    def quota_of(self, row: Limit) -> str:
        url = reverse("admin:quotas_limit_of", args=[row.organization_id])
        return format_html('<a class="link" href="{}">{}</a>', url, row.organization.name)

    @in_csv(("kind", lambda row: str(row.kind)))
    @admin.display(description="Kind")
    def kind_words(self, row: Limit) -> str:
        return LimitKind(row.kind).label

    @in_csv(("values", lambda row: value_cell(row.values)))
    @admin.display(description="As the cluster writes it")
    def written(self, row: Limit) -> str:
        return ", ".join(f"{name} {value}" for name, value in sorted(row.values.items())) or NOTHING

    @in_csv(("auto_managed", lambda row: "true" if row.auto_managed else "false"))
    @admin.display(description="Whose")
    def managed(self, row: Limit) -> str:
        return "kept by us" if row.auto_managed else "left alone"
