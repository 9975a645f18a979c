"""What stands in the cluster for whom, what keeps it from standing there, and the workloads that were stopped."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from accounts.admin.filters import choice
from accounts.admin.organizations import by_public_id
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv, value_cell
from accounts.display import NOTHING, moment, pairs, show_tag
from accounts.models import Organization
from quotas.models import ClusterSync, WorkloadScale

_SHOWN = 90
_STATES = {
    "failing": ("cannot be written", "bad"),
    "waits": ("waits to be written", "wait"),
    "refused": ("instruction not followed", "wait"),
    "stands": ("as it should be", "good"),
}
_NARROWED = {
    "failing": lambda rows: rows.exclude(last_error=""),
    "waits": lambda rows: rows.filter(last_error="", next_attempt_at__isnull=False),
    "refused": lambda rows: rows.exclude(refused=""),
    "stands": lambda rows: rows.filter(last_error="", refused="", next_attempt_at=None),
    "theirs": lambda rows: rows.exclude(left_alone=[]),
}


def _state(row: ClusterSync) -> str:
    if row.last_error:
        return "failing"
    if row.next_attempt_at:
        return "waits"
    return "refused" if row.refused else "stands"


@admin.display(description="Organization")
@in_csv(
    ("organization", lambda row: row.organization.public_id if row.organization else ""),
    ("organization_name", lambda row: row.organization.name if row.organization else "catalog"),
)
def whose(row: ClusterSync | WorkloadScale) -> SafeString | str:
    """Leads to its quota; the row of the catalog has no organization."""
    if row.organization is None:
        return "Catalog"
    url = reverse("admin:quotas_limit_of", args=[row.organization.pk])
    return format_html('<a class="link" href="{}">{}</a>', url, row.organization.name)


@admin.display(description="State")
@in_csv(("state", _state))
def state(row: ClusterSync) -> SafeString:
    return show_tag(*_STATES[_state(row)])


@admin.display(description="Why")
@in_csv(
    ("last_error", lambda row: row.last_error),
    ("refused", lambda row: row.refused),
    ("left_alone", lambda row: value_cell(row.left_alone)),
)
def why(row: ClusterSync) -> str:
    """The gravest of what is wrong, in short; its page says all of it."""
    theirs = f"left alone: {', '.join(row.left_alone)}" if row.left_alone else ""
    return Truncator(row.last_error or row.refused or theirs).chars(_SHOWN) or NOTHING


@admin.display(description="Replicas")
@in_csv(("replicas", lambda row: value_cell(row.replicas)))
def replicas(row: WorkloadScale) -> SafeString | str:
    return NOTHING if row.replicas is None else format_html('<span class="number">{}</span>', row.replicas)


@admin.display(description="State")
@in_csv(("state", lambda row: "started" if row.restored_at else "stopped"))
def scale_state(row: WorkloadScale) -> SafeString:
    return show_tag("started again", "good") if row.restored_at else show_tag("stopped", "bad")


class OfOrganizations(StaffAdmin):
    list_select_related = ("organization",)
    search_fields = ("organization__name", "=organization__slug")
    search_help_text = "org_…, or organization"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        named = by_public_id(Organization.objects.all(), Organization.PUBLIC_PREFIX, search_term)
        if named is not None:
            return queryset.filter(organization__in=named), False
        return super().get_search_results(request, queryset, search_term)


@admin.register(ClusterSync)
class ClusterSyncAdmin(OfOrganizations):
    list_display = (
        state,
        whose,
        why,
        moment("next_attempt_at", "Next attempt"),
        moment("applied_at", "Written"),
    )
    list_filter = (
        choice(
            "state",
            "state",
            lambda: [
                *((key, words) for key, (words, _) in _STATES.items()),
                ("theirs", "something is left alone"),
            ],
            lambda rows, value: _NARROWED[value](rows),
        ),
    )
    fields = (
        whose,
        state,
        "attempts",
        "last_error",
        moment("next_attempt_at", "Next attempt"),
        "refused",
        pairs("left_alone", "Left alone"),
        moment("applied_at", "Written"),
    )
    empty_text = "Nothing stands in a cluster."
    empty_hint = "With KUBECONFIG_PATH set for web and worker, limits are written to it: docs/kubernetes.md."


@admin.register(WorkloadScale)
class WorkloadScaleAdmin(OfOrganizations):
    list_display = (
        "name",
        "kind",
        "namespace",
        whose,
        replicas,
        scale_state,
        moment("scaled_at", "Stopped"),
        moment("restored_at", "Started again"),
    )
    list_filter = (
        choice(
            "state",
            "state",
            lambda: [("stopped", "stopped"), ("started", "started again")],
            lambda rows, value: rows.filter(restored_at__isnull=value == "stopped"),
        ),
    )
    fields = list_display
    empty_text = "No workload was stopped."
    empty_hint = "Workloads of a halted organization are scaled to zero, and started again as they were."
