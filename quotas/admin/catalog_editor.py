"""Editing a draft: one plan, one add-on or the operator's sections at a time, each with its faults on its fields."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.admin.act_pages import Cleaned, Done, text_field
from accounts.admin.previews import Preview
from accounts.audit import person
from accounts.clock import now
from accounts.errors import Conflict, DomainError, NotFound
from accounts.models import User
from quotas import catalog_drafts
from quotas.admin import catalog_fields
from quotas.admin.catalog_fields import Field
from quotas.admin.catalog_previews import differences
from quotas.admin.catalog_publication import OfDraft
from quotas.catalog.document import parse, read_json
from quotas.catalog.faults import CatalogInvalid
from quotas.catalog.reading import Document
from quotas.models import CatalogState

Groups = Mapping[str, Sequence[Field]]


class EditForm(forms.Form):
    """What every form of the editor carries: which draft it was opened on."""

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())


def form_of(groups: Groups, *, code: forms.Field | None = None) -> type[EditForm]:
    fields: dict[str, Any] = {"code": code} if code else {}
    return type("FieldsForm", (EditForm,), {**fields, **catalog_fields.inputs(groups)})


class EditDraft(OfDraft):
    """An edit of the draft that the address names. A subclass says which part, and writes it into the document."""

    button = "Save in the draft"
    form_template = "admin/catalog/edit.html"
    groups: ClassVar[Groups] = {}
    section: ClassVar[str] = ""

    @abstractmethod
    def write(self, document: Document, cleaned: Cleaned) -> None:
        """Change the document. Raises DomainError."""

    def path_of(self, cleaned: Mapping[str, Any]) -> str:
        """Where in the document the form's fields stand, with a dot at its end."""
        return f"{self.section}.{cleaned.get('code', '')}."

    def document(self) -> Document:
        return read_json(self.draft().document)

    def get(self, request: HttpRequest, **more: Any) -> HttpResponse:
        if self.draft().state != CatalogState.DRAFT:
            messages.warning(request, "This catalog is no draft any more; it never changes.")
            return HttpResponseRedirect(self.page_of_draft())
        return super().get(request, **more)

    def first_values(self, request: HttpRequest) -> Cleaned:
        return {"seen": self.draft().sha256}

    def preview(self, cleaned: Cleaned) -> Preview:
        draft = self.draft()
        catalog_drafts.require_seen(draft, cleaned["seen"] or draft.sha256)
        before, document = read_json(draft.document), read_json(draft.document)
        self.write(document, cleaned)
        old, new = parse(before), parse(document)
        table = differences(old, new)
        return Preview(
            [("Catalog", f"{draft.public_id} from {draft.source}"), ("Changes", f"{len(table.rows) or 'no'} values")],
            tables=[table] if table.rows else [],
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        draft = self.draft()
        catalog_drafts.change(
            draft.pk,
            lambda document: self.write(document, cleaned),
            seen=cleaned["seen"] or draft.sha256,
            actor=person(user),
            at=now(),
        )
        return Done(self.page_of_draft(), "It is saved in the draft. Nothing is in force before it is published.")

    def refuse(self, form: forms.Form, error: DomainError) -> None:
        """Each fault on the field that it is about; the others above the form."""
        if not isinstance(error, CatalogInvalid):
            super().refuse(form, error)
            return
        prefix = self.path_of(form.cleaned_data)
        for fault in error.faults:
            name = self._field_of(fault.path, prefix)
            said = fault.reason if name in form.fields else str(fault)
            form.add_error(name if name in form.fields else None, ValidationError(said, code=error.code))

    def grouped(self, form: forms.Form) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [form[field.name] for field in fields]) for title, fields in self.groups.items()]

    def _form(self, request: HttpRequest, form: forms.Form, *, status: int = 200) -> HttpResponse:
        outside = [form[name] for name in form.fields if name in ("code", "seen")]
        shown = {"form": form, "groups": self.grouped(form), "outside": outside, "back": self.page_of_draft()}
        return self._page(request, self.form_template, shown, status=status)

    def _field_of(self, path: str, prefix: str) -> str | None:
        inner = path.removeprefix(prefix)
        if path.startswith("eipQuota."):
            return "external_ips"
        if path == prefix.rstrip("."):
            return "code"
        found = (field for field in catalog_fields.all_fields(self.groups) if field.path)
        return next((field.name for field in found if f"{inner}.".startswith(f"{field.path}.")), None)


class OfItem(EditDraft):
    """A plan or an add-on that the draft lists, by its code in the address; without one, the first."""

    def subject(self) -> str:
        code = (self.request.POST or self.request.GET).get("code", "")
        return ", ".join(filter(None, (code, super().subject())))

    def first_values(self, request: HttpRequest) -> Cleaned:
        listed = self.document().get(self.section, {})
        code = request.GET.get("code", "") or next(iter(listed), "")
        if code not in listed:
            return {**super().first_values(request), "code": code}
        typed = catalog_fields.typed(self.groups, listed[code])
        return {**super().first_values(request), "code": code, **typed}

    def write(self, document: Document, cleaned: Cleaned) -> None:
        listed = document.setdefault(self.section, {})
        if cleaned["code"] not in listed:
            raise NotFound("the draft lists nothing of that code", field="code")
        catalog_fields.merged(self.groups, listed[cleaned["code"]], cleaned)


class NewItem(EditDraft):
    def write(self, document: Document, cleaned: Cleaned) -> None:
        listed = document.setdefault(self.section, {})
        if cleaned["code"] in listed:
            raise Conflict("the draft lists that code already", field="code", code="code_taken")
        listed[cleaned["code"]] = catalog_fields.merged(self.groups, {}, cleaned)


def put_addresses(document: Document, cleaned: Cleaned) -> None:
    """The enforced limit of public addresses, which stands beside the plans; empty takes it out."""
    given = cleaned["external_ips"].strip()
    if given:
        document.setdefault("eipQuota", {})[cleaned["code"]] = given
    else:
        document.get("eipQuota", {}).pop(cleaned["code"], None)


def code_field(hint: str) -> forms.CharField:
    return text_field("Code", hint=hint, longest=63)
