"""API keys as staff see them: whose, what for, when last used. Never the key itself."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts import clock, key_text
from accounts.admin.filters import choice
from accounts.admin.key_acts import CreatePlatformKey, RevokeAnyKey, RevokeKey, RotateAnyKey, RotateKey
from accounts.admin.organizations import by_public_id
from accounts.admin.staff_admin import StaffAdmin
from accounts.csv_cells import in_csv
from accounts.display import moment, public_id, show_tag
from accounts.models import ApiKey
from accounts.request_abilities import may

_TONES = {"alive": "good", "expired": "wait", "revoked": "bad"}


def _of_state(rows: QuerySet[Any], state: str) -> QuerySet[Any]:
    at = clock.now()
    narrow = {
        "alive": Q(revoked_at=None, expires_at__gt=at),
        "expired": Q(revoked_at=None, expires_at__lte=at),
        "revoked": Q(revoked_at__isnull=False),
    }
    return rows.filter(narrow[state])


@admin.register(ApiKey)
class ApiKeyAdmin(StaffAdmin):
    act_pages = (CreatePlatformKey, RotateKey, RevokeKey, RotateAnyKey, RevokeAnyKey)
    list_display = (
        *("name", "begins", "whose", "state", moment("last_used_at", "Last used")),
        *(moment("expires_at", "Expires"), moment("created_at", "Created")),
    )
    list_select_related = ("organization",)
    list_filter = (choice("state", "state", lambda: [(word, word) for word in _TONES], _of_state),)
    search_fields = ("name", "organization__name", "=organization__slug")
    search_help_text = "Name, organization, or public id"
    fields = (
        *("name", public_id, "begins", "whose", "state", "may"),
        *(moment("last_used_at", "Last used"), moment("created_at", "Created"), "created_by"),
        *(moment("expires_at", "Expires"), moment("revoked_at", "Revoked")),
    )
    empty_text = "No program has a key yet."
    empty_hint = "A customer's key is created on the page of the organization, a key of the platform here."
    change_form_before_template = "admin/api_keys/acts.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = by_public_id(queryset, ApiKey.PUBLIC_PREFIX, search_term)
        return super().get_search_results(request, queryset, search_term) if found is None else (found, False)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["administers"] = may(request, "administer")
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="Begins with")
    def begins(self, row: ApiKey) -> str:
        return f"{key_text.head(row)}…"

    @admin.display(description="For")
    def whose(self, row: ApiKey) -> str:
        return row.organization.name if row.organization else "every organization"

    @admin.display(description="May")
    def may(self, row: ApiKey) -> str:
        return ", ".join(row.scopes)

    @in_csv(("state", lambda row: _state(row)))
    @admin.display(description="State")
    def state(self, row: ApiKey) -> str:
        word = _state(row)
        return show_tag(word, _TONES[word])


def _state(row: ApiKey) -> str:
    if row.revoked_at:
        return "revoked"
    return "expired" if row.expires_at <= clock.now() else "alive"
