"""People and staff groups, for platform-admin alone. The one act is setting somebody's access."""

from importlib import import_module
from operator import attrgetter
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest
from django.urls import reverse
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldBooleanWidget

from accounts import staff_access, staff_roles
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field
from accounts.admin.organizations import NamedAdmin
from accounts.admin.previews import Preview
from accounts.admin.staff_admin import StaffAdmin
from accounts.clock import now
from accounts.csv_cells import in_csv
from accounts.display import moment, public_id
from accounts.models import User
from accounts.personal_data import masked_email, masked_name

import_module("django.contrib.auth.admin")  # it registers its own page of groups
admin.site.unregister(Group)


class AccessForm(forms.Form):
    active = forms.BooleanField(label="May sign in", required=False, widget=UnfoldBooleanWidget())
    staff = forms.BooleanField(label="Is staff", required=False, widget=UnfoldBooleanWidget())
    groups = forms.MultipleChoiceField(
        choices=[(name, name) for name in staff_roles.GROUPS],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="finance-operator asks, finance-approver decides; nobody decides what they asked for.",
    )
    reason = reason_field()


class SetAccess(ActPage):
    name = "access"
    path = "<int:pk>/access/"
    title = "Set access"
    button = "Set access"
    ability = "administer"
    form_class = AccessForm

    def first_values(self, request: HttpRequest) -> Cleaned:
        access = staff_access.access_of(self._user())
        return {"active": access["active"], "staff": access["staff"], "groups": access["groups"]}

    def preview(self, cleaned: Cleaned) -> Preview:
        user = self._user()
        before = staff_access.access_of(user)
        return Preview(
            [
                ("Person", user.public_id),
                ("May sign in", f"{_yes(before['active'])} → {_yes(cleaned['active'])}"),
                ("Is staff", f"{_yes(before['staff'])} → {_yes(cleaned['staff'])}"),
                ("Groups", f"{_words(before['groups'])} → {_words(cleaned['groups'])}"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        wanted = {name: cleaned[name] for name in ("active", "staff", "groups", "reason")}
        changed = staff_access.set_access(self.kwargs["pk"], **wanted, actor=user, at=now())
        return Done(reverse("admin:accounts_user_change", args=[changed.pk]), "Access set.")

    def _user(self) -> User:
        user = User.objects.filter(pk=self.kwargs["pk"]).first()
        if user is None:
            raise Http404
        return user


@admin.register(User)
class UserAdmin(NamedAdmin):
    """Customers are masked here as everywhere; the export holds them as they are, and is audited as such."""

    view_ability = "administer"
    lists_people = True
    act_pages = (SetAccess,)
    list_display = ("address", "shown_name", public_id, "is_active", "is_staff", "is_superuser", "in_groups")
    search_fields = ("email", "display_name")
    search_help_text = "E-mail, name, or public id"
    fields = (
        public_id,
        "time_zone",
        "language",
        "is_active",
        "is_staff",
        "is_superuser",
        "in_groups",
        moment("last_login", "Last sign-in"),
        moment("created_at", "Created"),
    )
    change_form_outer_before_template = "admin/staff/person.html"
    change_form_before_template = "admin/staff/access_link.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @in_csv(("email", attrgetter("email")))
    @admin.display(description="E-mail")
    def address(self, row: User) -> str:
        return masked_email(row)

    @in_csv(("display_name", attrgetter("display_name")))
    @admin.display(description="Name")
    def shown_name(self, row: User) -> str:
        return masked_name(row)

    @admin.display(description="Groups")
    def in_groups(self, row: User) -> str:
        return _words([group.name for group in row.groups.all()])


@admin.register(Group)
class GroupAdmin(StaffAdmin):
    """The four groups are part of the product; who is in them is set on each person."""

    view_ability = "administer"
    list_display = ("name", "abilities")
    fields = ("name", "abilities")

    @admin.display(description="May")
    def abilities(self, row: Group) -> str:
        return _words([ability for ability, names in staff_roles.ABILITIES.items() if row.name in names])


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _words(names: object) -> str:
    return ", ".join(cast(list[str], names)) or "none"
