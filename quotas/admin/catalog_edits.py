"""The pages of the editor: a plan, an add-on, the operator's sections; adding, removing, order and switches."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.act_pages import Cleaned, sentence, text_field
from accounts.admin.previews import Preview, with_fact
from accounts.audit import person
from accounts.clock import now
from accounts.errors import DomainError, NotFound
from accounts.models import User
from accounts.request_abilities import may
from quotas import catalog_drafts
from quotas.admin import catalog_fields
from quotas.admin.catalog_editor import EditDraft, EditForm, NewItem, OfItem, code_field, form_of, put_addresses
from quotas.admin.catalog_fields import ADDON, PLAN, SECTIONS
from quotas.catalog.reading import Document
from quotas.catalog_in_force import newest
from quotas.models import CatalogItem
from quotas.subscription_terms import held_of

_CODE = "Small letters, digits and dashes, such as pro-pool. It never changes."
_KINDS = {"plan": "plans", "add-on": "addons"}
hidden_code = forms.CharField(max_length=63, widget=forms.HiddenInput())


class EditPlan(OfItem):
    name = "plan"
    path = "<int:pk>/plan/"
    title = "Edit a plan"
    groups = PLAN
    section = "plans"
    form_class = form_of(PLAN, code=hidden_code)

    def first_values(self, request: HttpRequest) -> Cleaned:
        first = super().first_values(request)
        return {**first, "external_ips": self.document().get("eipQuota", {}).get(first["code"], "")}

    def write(self, document: Document, cleaned: Cleaned) -> None:
        super().write(document, cleaned)
        put_addresses(document, cleaned)


class AddPlan(NewItem):
    name = "addplan"
    path = "<int:pk>/add-plan/"
    title = "Add a plan"
    groups = PLAN
    section = "plans"
    form_class = form_of(PLAN, code=code_field(_CODE))

    def first_values(self, request: HttpRequest) -> Cleaned:
        """Begin with the container limits that the plans have."""
        listed = next(iter(self.document()["plans"].values()))
        ranges = {field.name: "" for field in catalog_fields.all_fields(PLAN)}
        typed = {name: value for name, value in catalog_fields.typed(PLAN, listed).items() if _is_range(name)}
        shared = {"currency": listed["currency"], "burst_ratio": "1", "self_service": True}
        return {**ranges, **typed, **shared, **super().first_values(request)}

    def write(self, document: Document, cleaned: Cleaned) -> None:
        super().write(document, cleaned)
        put_addresses(document, cleaned)


class EditAddOn(OfItem):
    name = "addon"
    path = "<int:pk>/addon/"
    title = "Edit an add-on"
    groups = ADDON
    section = "addons"
    form_class = form_of(ADDON, code=hidden_code)


class AddAddOn(NewItem):
    name = "addaddon"
    path = "<int:pk>/add-addon/"
    title = "Add an add-on"
    groups = ADDON
    section = "addons"
    form_class = form_of(ADDON, code=code_field(_CODE.replace("pro-pool", "turbo-x1")))

    def first_values(self, request: HttpRequest) -> Cleaned:
        currency = next(iter(self.document()["plans"].values()))["currency"]
        return {"currency": currency, "self_service": True, **super().first_values(request)}


class EditSections(EditDraft):
    name = "section"
    path = "<int:pk>/sections/"
    title = "Edit the operator's sections"
    explanation = "These hold for everyone as soon as the draft is published, whatever they hold."
    groups = SECTIONS
    form_class = form_of(SECTIONS)

    def path_of(self, cleaned: Any) -> str:
        return ""

    def first_values(self, request: HttpRequest) -> Cleaned:
        return {**super().first_values(request), **catalog_fields.typed(SECTIONS, self.document())}

    def write(self, document: Document, cleaned: Cleaned) -> None:
        catalog_fields.merged(SECTIONS, document, cleaned)


class RemoveForm(EditForm):
    kind = forms.ChoiceField(label="What", choices=[(kind, kind) for kind in _KINDS], widget=UnfoldAdminSelectWidget())
    code = text_field("Code", longest=63)


class RemoveItem(EditDraft):
    name = "remove"
    path = "<int:pk>/remove/"
    title = "Remove from the draft"
    button = "Remove it"
    explanation = "Whoever holds it keeps it; nobody new may have it once the draft is published."
    form_template = "admin/acts/form.html"
    form_class = RemoveForm

    def first_values(self, request: HttpRequest) -> Cleaned:
        asked = {name: request.GET[name] for name in ("kind", "code") if name in request.GET}
        return {**super().first_values(request), **asked}

    def preview(self, cleaned: Cleaned) -> Preview:
        item = CatalogItem.objects.filter(kind=cleaned["kind"], code=cleaned["code"]).first()
        return with_fact(super().preview(cleaned), "Held by", f"{held_of(item.pk) if item else 0:,} subscriptions")

    def write(self, document: Document, cleaned: Cleaned) -> None:
        listed = document.get(_KINDS[cleaned["kind"]], {})
        if listed.pop(cleaned["code"], None) is None:
            raise NotFound("the draft lists nothing of that code", field="code")
        if cleaned["kind"] == "plan":
            document["eipQuota"].pop(cleaned["code"], None)

    def path_of(self, cleaned: Any) -> str:
        return ""


class DraftButton(ABC, View):
    """A button on the page of a catalog: one small change, undone by its opposite."""

    model_admin: Any = None
    ability: ClassVar[str] = "operate"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not may(request, self.ability):
            raise PermissionDenied
        try:
            pk = self.press(request, pk, cast(User, request.user))
        except DomainError as error:
            if error.status == 404:
                raise Http404 from None
            messages.error(request, f"{sentence(error)}. Nothing was written.")
        return HttpResponseRedirect(reverse("admin:quotas_catalogversion_change", args=[pk]))

    @abstractmethod
    def press(self, request: HttpRequest, pk: int, user: User) -> int:
        """Which catalog's page is shown next. Raises DomainError."""


class OpenEditor(DraftButton):
    """From the page of the catalog in force to a draft of it: the newest one of the editor, or a new one."""

    name = "edit"
    path = "<int:pk>/edit/"

    def press(self, request: HttpRequest, pk: int, user: User) -> int:
        current = newest()
        if current is None or current.pk != pk:
            raise NotFound("only the catalog in force is edited, in a draft", field="catalog")
        return catalog_drafts.draft_of_what_is_in_force(actor=person(user), at=now()).pk


class Arrange(DraftButton):
    """Up or down in the order; an add-on on or off."""

    name = "arrange"
    path = "<int:pk>/arrange/"

    def press(self, request: HttpRequest, pk: int, user: User) -> int:
        kind, code, how = (request.POST.get(name, "") for name in ("kind", "code", "how"))

        def arranged(document: Document) -> None:
            section = document.get(_KINDS.get(kind, ""), {})
            if how in ("up", "down"):
                catalog_drafts.shift(section, code, -1 if how == "up" else 1)
            elif how in ("on", "off") and kind == "add-on" and code in section:
                section[code]["disabled"] = how == "off"
            else:
                raise NotFound("the draft lists nothing of that code", field="code")

        seen = request.POST.get("seen", "")
        return catalog_drafts.change(pk, arranged, seen=seen, actor=person(user), at=now()).pk


def _is_range(name: str) -> bool:
    return any(field.name == name and field.path.startswith("limitRange.") for field in catalog_fields.all_fields(PLAN))
