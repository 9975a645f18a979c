"""Catalogs that were refused: what is wrong with them, since when, and the act that ends an alarm by hand."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse
from accounts.admin.filters import choice
from accounts.admin.previews import Preview
from accounts.admin.staff_admin import StaffAdmin
from accounts.audit import Actor, person, system
from accounts.clock import now
from accounts.csv_cells import in_csv
from accounts.display import moment, show_moment, show_tag
from accounts.models import User
from accounts.request_abilities import may
from quotas import catalog_refusals
from quotas.catalog_in_force import newest
from quotas.models import CatalogRefusal


class EndForm(forms.Form):
    reason = reason_field("Why no good catalog will come from that source. It is kept for the auditors.")


class EndAlarm(ActPage):
    name = "end"
    path = "<int:pk>/end/"
    title = "End the alarm"
    button = "End it"
    explanation = "For a source from which no good catalog will come: a good one ends the alarm by itself."
    form_class = EndForm

    def subject(self) -> str:
        return self.refusal().source

    def refusal(self) -> CatalogRefusal:
        found = CatalogRefusal.objects.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def preview(self, cleaned: Cleaned) -> Preview:
        refusal = self.refusal()
        rehearse(lambda: self._end(cleaned, system("preview")))
        return Preview(
            [
                ("Source", refusal.source),
                ("Refused", show_moment(refusal.refused_at)),
                ("Faults", f"{len(refusal.faults):,}"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        self._end(cleaned, person(user))
        url = reverse("admin:quotas_catalogrefusal_change", args=[self.kwargs["pk"]])
        return Done(url, "The alarm is over. What is in force stays.", result={"source": self.refusal().source})

    def _end(self, cleaned: Cleaned, actor: Actor) -> None:
        catalog_refusals.end(self.refusal().pk, actor=actor, reason=cleaned["reason"], at=now())


def _by_state(rows: QuerySet[Any], state: str) -> QuerySet[Any]:
    return rows.filter(resolved_at__isnull=state == "open")


@admin.register(CatalogRefusal)
class CatalogRefusalAdmin(StaffAdmin):
    act_pages = (EndAlarm,)
    list_display = ("source", "alarm", "fault_count", moment("refused_at", "Refused"), moment("resolved_at", "Over"))
    list_filter = (choice("state", "state", lambda: [("open", "open"), ("over", "over")], _by_state),)
    empty_text = "No catalog was ever refused."
    empty_hint = "A document that is wrong is refused whole and listed here, with everything that is wrong with it."

    @in_csv(("state", lambda row: "over" if row.resolved_at else "open"))
    @admin.display(description="Alarm")
    def alarm(self, row: CatalogRefusal) -> str:
        return show_tag("over", "calm") if row.resolved_at else show_tag("open", "bad")

    @in_csv(("faults", lambda row: len(row.faults)))
    @admin.display(description="Faults")
    def fault_count(self, row: CatalogRefusal) -> str:
        return f"{len(row.faults):,}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        refusal = self.get_object(request, object_id)
        if refusal is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": refusal,
            "title": f"Refused: {refusal.source}",
            "refusal": refusal,
            "current": newest(),
            "operates": may(request, "operate"),
        }
        return TemplateResponse(request, "admin/catalog/refusal.html", context)
