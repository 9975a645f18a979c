"""Uploading a catalog: checked whole; then its diff against what is in force; then a draft."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from accounts.admin.act_pages import ActPage, Cleaned, Done, rehearse
from accounts.admin.previews import Preview
from accounts.audit import person, system
from accounts.clock import now
from accounts.errors import DomainError
from accounts.models import User
from quotas import catalog_drafts, catalog_import
from quotas.admin.catalog_previews import differences
from quotas.catalog.document import parse_text
from quotas.catalog.faults import CatalogInvalid, Fault
from quotas.catalog.reading import LARGEST_BYTES
from quotas.catalog.terms import Catalog
from quotas.catalog_in_force import catalog_of, newest

SOURCE = "back office"  # whose alarm it is: the next good upload ends it
PASTED = "pasted text"


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".yaml,.yml,.json"}),
        help_text="plans.yaml, bare or inside its ConfigMap; 1 MiB at most.",
    )
    document = forms.CharField(
        label="Or paste it here",
        required=False,
        strip=False,
        max_length=LARGEST_BYTES,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 14, "class": "code", "spellcheck": "false"}),
    )
    source = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())


class UploadCatalog(ActPage):
    name = "upload"
    path = "upload/"
    title = "Upload a catalog"
    button = "Save it as a draft"
    explanation = (
        "The whole document is accepted, or refused with every fault; then what is in force stays. "
        "Accepted, it becomes a draft that you publish in a second step."
    )
    form_class = UploadForm
    form_template = "admin/catalog/upload.html"

    faults: tuple[Fault, ...] = ()

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        """A file becomes the text of the form, so that what was previewed is what is saved."""
        given = request.POST.copy()
        file = request.FILES.get("file")
        try:
            if file:
                given["document"], given["source"] = _text_of(file), (file.name or "")[:64]
            # A browser sends line ends as it likes; a token performs exactly what was previewed.
            given["document"] = given.get("document", "").replace("\r\n", "\n").replace("\r", "\n")
        except CatalogInvalid as error:
            self.faults = error.faults
            return self._form(request, UploadForm(), status=422)
        request.POST = given  # type: ignore[assignment]
        return super().post(request)

    def preview(self, cleaned: Cleaned) -> Preview:
        if not cleaned["document"].strip():
            raise DomainError("choose a file, or paste its text", field="document", code="document_missing")
        try:
            catalog = catalog_import.read(cleaned["document"], source=SOURCE, at=now())
        except CatalogInvalid as error:
            self.faults = error.faults
            raise DomainError("the document was refused whole", field="catalog", code=error.code) from None
        rehearse(lambda: self._open(catalog, cleaned, None))
        current = newest()
        said = catalog_import.summary(catalog)
        table = differences(catalog_of(current) if current else None, catalog)
        return Preview(
            [
                ("From", cleaned["source"] or PASTED),
                ("Plans", ", ".join(said["plans"])),
                ("Add-ons", ", ".join(said["addons"]) or "none"),
                ("In force now", f"catalog {current.number}" if current else "none: this would be the first"),
                ("Keys nothing reads", ", ".join(said["unknown_keys"]) or "none"),
            ],
            tables=[table] if table.rows else [],
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        draft = self._open(parse_text(cleaned["document"]), cleaned, user)
        url = reverse("admin:quotas_catalogversion_change", args=[draft.pk])
        return Done(url, "It is a draft. Publish it when it is right.", result={"catalog": draft.public_id})

    def _open(self, catalog: Catalog, cleaned: Cleaned, user: User | None) -> Any:
        actor = person(user) if user else system("preview")
        return catalog_drafts.open_draft(catalog, source=cleaned["source"] or PASTED, actor=actor, at=now())


def _text_of(file: Any) -> str:
    """The text of a file. Raises CatalogInvalid, with the alarm raised."""
    raw: bytes = file.read(LARGEST_BYTES + 1)
    try:
        if len(raw) <= LARGEST_BYTES:
            return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    catalog_import.read(raw, source=SOURCE, at=now())
    raise AssertionError("what is too long or no text was read as a catalog")
