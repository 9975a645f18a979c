"""Who pays and who belongs: organizations, projects, members, bindings, legal entities."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import clock
from accounts.account_quota import quota_of
from accounts.activity_feed import of_organization
from accounts.admin.activity_pages import OrganizationActivity
from accounts.admin.binding_acts import Bind, Rebind
from accounts.admin.closing_acts import CloseOrganization, CloseProject
from accounts.admin.feature_acts import GrantFeature, RevokeFeature
from accounts.admin.filters import choice
from accounts.admin.issuer_acts import ConnectIssuer
from accounts.admin.key_acts import CreateKey
from accounts.admin.member_acts import AddMember, ChangeRole, LetIn, LetOut, WithdrawMember
from accounts.admin.opening import OpenAccount, OpenOrganization, OpenProject
from accounts.admin.policy_links import policies_link
from accounts.admin.staff_admin import HistoryStaffAdmin, StaffAdmin
from accounts.csv_cells import in_csv, value_cell
from accounts.display import moment, public_id, tag
from accounts.models import (
    BillingAccountBinding,
    BindingPhase,
    LegalEntity,
    Membership,
    Organization,
    OrganizationRole,
    Project,
)
from accounts.personal_data import masked_email, masked_name
from accounts.public_ids import decode
from accounts.request_abilities import may

ACTIVITY = 6  # lines of it on the page of an organization
SHOWN = 50  # members and accounts on the page of an organization

_BINDING_TONES = {"Active": "good"}


def by_public_id(queryset: QuerySet[Any], prefix: str, term: str) -> QuerySet[Any] | None:
    """The row a public id names, or None where the text is no such id."""
    key = decode(prefix, term.strip())
    return None if key is None else queryset.filter(pk=key)


class NamedAdmin(HistoryStaffAdmin):
    """Rows with a public id, found by it or by their name."""

    search_help_text = "Name, or public id"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = by_public_id(queryset, self.model.PUBLIC_PREFIX, search_term)
        if found is not None:
            return found, False
        rows, duplicates = super().get_search_results(request, queryset, search_term)
        return rows, bool(duplicates)


@admin.register(Organization)
class OrganizationAdmin(NamedAdmin):
    act_pages = (
        OpenOrganization,
        OpenProject,
        OpenAccount,
        GrantFeature,
        RevokeFeature,
        AddMember,
        CreateKey,
        ConnectIssuer,
        CloseOrganization,
        OrganizationActivity,
    )
    list_display = (
        *("name", public_id, "slug", "kind"),
        *(moment("created_at", "Created"), moment("closed_at", "Closed")),
    )
    search_fields = ("name", "slug")
    fields = (
        *("name", public_id, "slug", "kind", "takes_tokens_of", policies_link),
        *(moment("created_at", "Created"), moment("closed_at", "Closed")),
    )
    empty_hint = "An organization appears when a customer signs up, or when you open one."
    change_form_before_template = "admin/organizations/acts.html"
    change_form_outer_after_template = "admin/organizations/panels.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        organization = context["original"]
        belong = organization.memberships.filter(withdrawn_at=None).select_related("user").order_by("pk")
        members = list(belong[: SHOWN + 1])
        accounts = list(organization.billing_accounts.order_by("pk")[: SHOWN + 1])
        context |= {"members": members[:SHOWN], "more_members": len(members) > SHOWN}
        context |= {"accounts": accounts[:SHOWN], "more_accounts": len(accounts) > SHOWN}
        context |= {"activity": of_organization(organization.pk, most=ACTIVITY)}
        alive = organization.api_keys.filter(revoked_at=None, expires_at__gt=clock.now()).order_by("-pk")
        context |= {"keys": alive[:SHOWN], "administers": may(request, "administer")}
        context |= {"features": organization.feature_grants.order_by("-pk")[:SHOWN], "quota": quota_of(organization)}
        return super().render_change_form(request, context, *args, **kwargs)

    @in_csv(("personal", lambda row: value_cell(row.personal)))
    @admin.display(description="Kind")
    def kind(self, row: Organization) -> str:
        return "personal" if row.personal else "company"

    @admin.display(description="Takes tokens of")
    def takes_tokens_of(self, row: Organization) -> str | None:
        return row.issuer.issuer if row.issuer else None


@admin.register(Project)
class ProjectAdmin(NamedAdmin):
    act_pages = (Bind, Rebind, CloseProject)
    list_display = ("name", public_id, "organization", moment("created_at", "Created"), moment("closed_at", "Closed"))
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "organization__name")
    fields = (
        *("name", public_id, "slug", "organization", policies_link),
        *(moment("created_at", "Created"), moment("closed_at", "Closed")),
    )
    empty_hint = "A project appears when a customer opens one, or when you open one on the page of an organization."
    change_form_before_template = "admin/projects/acts.html"
    change_form_outer_after_template = "admin/projects/bindings.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        rows = context["original"].bindings.select_related("billing_account").order_by("-established_at", "-pk")
        context["bindings"] = bindings = list(rows[:SHOWN])
        context["bound"] = bool(bindings) and bindings[0].phase == BindingPhase.ACTIVE
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Membership)
class MembershipAdmin(HistoryStaffAdmin):
    """Who belongs where. People are masked; who somebody is, is shown on request on the page of the row."""

    act_pages = (ChangeRole, WithdrawMember, LetIn, LetOut)
    list_display = (
        *("organization", "member", "role", moment("created_at", "Since")),
        moment("withdrawn_at", "Taken back"),
    )
    list_select_related = ("organization", "user")
    list_filter = (choice("role", "role", lambda: OrganizationRole.choices),)
    search_fields = ("organization__name", "=organization__slug")
    search_help_text = "Organization"
    fields = (
        *("organization", public_id, "role", moment("created_at", "Since")),
        moment("withdrawn_at", "Taken back"),
    )
    change_form_outer_before_template = "admin/organizations/member.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        rows = context["original"].projects.select_related("project")
        context["projects"] = rows.order_by("withdrawn_at", "-pk")[:SHOWN]
        return super().render_change_form(request, context, *args, **kwargs)

    @in_csv(("member", lambda row: row.user.public_id))
    @admin.display(description="Member")
    def member(self, row: Membership) -> str:
        return f"{masked_name(row.user)} {masked_email(row.user)} · {row.user.public_id}".strip()


@admin.register(BillingAccountBinding)
class BindingAdmin(StaffAdmin):
    list_display = (
        "project",
        "billing_account",
        tag("phase", "Phase", _BINDING_TONES),
        moment("established_at", "From"),
        moment("superseded_at", "Until"),
    )
    list_select_related = ("project", "billing_account")
    list_filter = (choice("phase", "phase", lambda: BindingPhase.choices),)
    search_fields = ("project__name", "billing_account__name")
    search_help_text = "Project or billing account"
    fields = ("organization", *list_display)
    empty_text = "No project pays through an account yet."


@admin.register(LegalEntity)
class LegalEntityAdmin(HistoryStaffAdmin):
    list_display = ("name", public_id, "country", "base_currency", "time_zone", moment("created_at", "Created"))
    fields = list_display
    empty_text = "No legal entity yet."
    empty_hint = "A billing account belongs to the company of ours that sells."
