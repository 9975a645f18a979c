"""Publishing a draft of the catalog, and giving one up. A preview says what would change for whom."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import approvals
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, waiting
from accounts.admin.previews import Preview, with_fact
from accounts.audit import person, system
from accounts.clock import now
from accounts.models import User
from quotas import catalog_drafts, catalog_publishing
from quotas.admin.catalog_previews import preview_publication
from quotas.models import CatalogVersion

_EXISTING = [
    ("keep", "keep: they keep the limits and the price they have"),
    ("move", "move: their limits follow at once; their price stays"),
]
SEEN = "The fingerprint of the draft as it was looked at; another one is refused."


class PublishForm(forms.Form):
    existing = forms.ChoiceField(
        label="Existing subscriptions",
        choices=_EXISTING,
        widget=UnfoldAdminSelectWidget(),
        help_text="Whoever subscribes from now on has the new limits and pays the new price.",
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput(), help_text=SEEN)
    reason = reason_field()


class DiscardForm(forms.Form):
    reason = reason_field("What was wrong with it. It is kept for the auditors.")


class OfDraft(ActPage):
    """An act on the draft that the address names."""

    def subject(self) -> str:
        return self.draft().public_id

    def draft(self) -> CatalogVersion:
        found = CatalogVersion.objects.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def page_of_draft(self) -> str:
        return reverse("admin:quotas_catalogversion_change", args=[self.kwargs["pk"]])


class PublishCatalog(OfDraft):
    name = "publish"
    path = "<int:pk>/publish/"
    title = "Publish"
    button = "Publish it"
    explanation = "It is in force at once and never changes from then on. The catalog before it is kept to be read."
    form_class = PublishForm
    fields_of_errors = {"catalog": ""}

    def first_values(self, request: HttpRequest) -> Cleaned:
        return {"existing": "keep", "seen": self.draft().sha256, **super().first_values(request)}

    def proposal(self, cleaned: Cleaned) -> dict[str, Any]:
        found = catalog_publishing.payload(self.draft(), cleaned["existing"])
        return {**found, "sha256": cleaned["seen"] or found["sha256"]}

    def preview(self, cleaned: Cleaned) -> Preview:
        return with_fact(preview_publication(self.proposal(cleaned)), "Reason", cleaned["reason"])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        outcome = approvals.submit(
            catalog_publishing.ACT, self.proposal(cleaned), maker=user, reason=cleaned["reason"], at=now()
        )
        if outcome.request:
            return waiting(outcome.request.pk)
        return Done(self.page_of_draft(), "It is published and in force.", result=outcome.result or {})


class DiscardDraft(OfDraft):
    name = "discard"
    path = "<int:pk>/discard/"
    title = "Discard"
    button = "Discard it"
    explanation = "The draft stays to be read and can no longer be published."
    final = True
    form_class = DiscardForm

    def preview(self, cleaned: Cleaned) -> Preview:
        draft = self.draft()
        rehearse(lambda: catalog_drafts.discard(draft.pk, actor=system("preview"), reason=cleaned["reason"], at=now()))
        return Preview([("Catalog", f"{draft.public_id} from {draft.source}"), ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        draft = catalog_drafts.discard(self.draft().pk, actor=person(user), reason=cleaned["reason"], at=now())
        return Done(self.page_of_draft(), "The draft is discarded.", result={"catalog": draft.public_id})
