"""Catalogs, one row each: drafts, what was published and what was given up; each with its plans on a page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.views import View

from accounts.admin.filters import choice
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv
from accounts.display import NOTHING, moment, public_id, tag
from accounts.models import ApprovalRequest
from accounts.request_abilities import may
from quotas import catalog_publishing
from quotas.admin.catalog_edits import (
    AddAddOn,
    AddPlan,
    Arrange,
    EditAddOn,
    EditPlan,
    EditSections,
    OpenEditor,
    RemoveItem,
)
from quotas.admin.catalog_previews import differences
from quotas.admin.catalog_publication import DiscardDraft, PublishCatalog
from quotas.admin.catalog_tables import addon_rows, operator_facts, plan_rows
from quotas.admin.catalog_upload import UploadCatalog
from quotas.catalog import writing
from quotas.catalog.document import unknown_keys
from quotas.catalog_consequences import held_versions
from quotas.catalog_in_force import catalog_of, newest
from quotas.models import CatalogLine, CatalogState, CatalogVersion

TONES = {"draft": "wait", "published": "good", "discarded": "calm"}


class DownloadCatalog(View):
    """The catalog as `plans.yaml`, or inside its ConfigMap (`?as=configmap`); read again it is the same catalog."""

    model_admin: Any = None
    name = "download"
    path = "<int:pk>/download/"
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not may(request, "view"):
            raise PermissionDenied
        version = CatalogVersion.objects.filter(pk=pk).first()
        if version is None:
            raise Http404
        wrapped = request.GET.get("as") == "configmap"
        text = (writing.write_configmap if wrapped else writing.write)(catalog_of(version))
        stem = "billing-plans" if wrapped else "plans"
        name = f"{stem}-{version.number or version.public_id}.yaml"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


@admin.register(CatalogVersion)
class CatalogVersionAdmin(StaffAdmin):
    act_pages = (
        *(UploadCatalog, PublishCatalog, DiscardDraft, DownloadCatalog, OpenEditor),
        *(EditPlan, AddPlan, EditAddOn, AddAddOn, EditSections, RemoveItem, Arrange),
    )
    list_display = (
        public_id,
        "catalog",
        tag("state", "State", TONES),
        "source",
        "made_by",
        moment("created_at", "Made"),
        moment("published_at", "Published"),
    )
    list_select_related = ("made_by",)
    list_filter = (choice("state", "state", lambda: CatalogState.choices),)
    empty_text = "No catalog yet."
    empty_hint = "Upload a plans.yaml with the button above, or use import_catalog. The first is published at once."

    @in_csv(("number", lambda row: row.number or ""))
    @admin.display(description="Number")
    def catalog(self, row: CatalogVersion) -> str:
        return f"{row.number:,}" if row.number else NOTHING

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What a version lists, in order, and what it changes of the one before."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        version = self.get_object(request, object_id)
        if version is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": version,
            "tones": TONES,
            "operates": may(request, "operate"),
            "edits": may(request, "operate") and version.state == CatalogState.DRAFT,
            **_shown(version),
        }
        return TemplateResponse(request, "admin/catalog/version.html", context)


def _shown(version: CatalogVersion) -> dict[str, Any]:
    catalog, current = catalog_of(version), newest()
    draft = version.state == CatalogState.DRAFT
    request = ApprovalRequest.objects.filter(act=catalog_publishing.ACT, payload__catalog=version.pk)
    return {
        "title": f"Catalog {version.number}"
        if version.number
        else f"{version.get_state_display()} catalog".capitalize(),
        "version": version,
        "draft": draft,
        "in_force": current == version,
        "current": current,
        "moved_on": draft and version.based_on != current,
        "asked": request.select_related("maker", "checker").order_by("-pk").first(),
        "plans": plan_rows(catalog),
        "addons": addon_rows(catalog),
        "operator_facts": operator_facts(catalog),
        "unknown": list(unknown_keys(catalog)),
        "holders": _holders(version),
        "changes": differences(catalog_of(version.based_on), catalog) if version.based_on else None,
    }


def _holders(version: CatalogVersion) -> dict[str, str]:
    """How many subscriptions hold the version that this catalog lists, by kind and code; of a published one."""
    held = {row.pk: count for row, count in held_versions()}
    lines = CatalogLine.objects.filter(catalog=version).select_related("item")
    return {f"{line.item.kind} {line.item.code}": f"{held.get(line.version_id, 0):,}" for line in lines}
