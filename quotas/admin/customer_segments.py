"""Segments of customers and the accounts in them."""

from django import forms
from django.contrib import admin
from django.urls import reverse

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.found_rows import find_account
from accounts.admin.organizations import NamedAdmin
from accounts.admin.previews import Preview, facts_about
from accounts.admin.staff_admin import StaffAdmin
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.display import account_link, moment, public_id
from accounts.models import BillingAccount, User
from quotas import customer_segments
from quotas.admin.price_forms import CODE_HINT
from quotas.customer_segments import find_segment, segment_of
from quotas.models import CustomerSegment, SegmentMembership


class OpenForm(forms.Form):
    code = text_field("Code", longest=63, hint=CODE_HINT)
    segment_name = text_field("Name", longest=128)
    reason = reason_field()


class PlaceForm(forms.Form):
    billing_account = text_field("Billing account", hint="Its id: ba_…")
    segment = text_field("Segment", required=False, hint="Its code. Empty takes the account out of its segment.")
    reason = reason_field()


class OpenSegment(ActPage):
    name = "open"
    path = "open/"
    title = "Open a segment"
    button = "Open it"
    explanation = "A kind of customers that prices can be made for."
    form_class = OpenForm
    fields_of_errors = {"name": "segment_name"}

    def preview(self, cleaned: Cleaned) -> Preview:
        rehearse(lambda: self._open(cleaned, REHEARSAL))
        facts = [("Code", cleaned["code"]), ("Name", cleaned["segment_name"]), ("Reason", cleaned["reason"])]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        segment = self._open(cleaned, person(user))
        url = reverse("admin:quotas_customersegment_change", args=[segment.pk])
        return Done(url, "The segment is open.", result={"segment": segment.code})

    def _open(self, cleaned: Cleaned, actor: Actor) -> CustomerSegment:
        return customer_segments.open_segment(
            cleaned["code"], cleaned["segment_name"], actor=actor, reason=cleaned["reason"], at=now()
        )


class PlaceAccount(ActPage):
    name = "place"
    path = "place/"
    title = "Place an account"
    button = "Place it"
    explanation = "Prices of the segment hold from now on; the account's own price goes before them."
    form_class = PlaceForm

    def preview(self, cleaned: Cleaned) -> Preview:
        account = find_account(cleaned["billing_account"])
        rehearse(lambda: self._place(cleaned, REHEARSAL))
        before, after = segment_of(account.pk, now()), self._segment(cleaned)
        facts = [
            *facts_about(account),
            ("Segment now", str(before or "none")),
            ("Segment afterwards", str(after or "none")),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        account, segment = self._place(cleaned, person(user)), self._segment(cleaned)
        url = reverse("admin:quotas_segmentmembership_changelist")
        said = f"{account.name} is in {segment.name}." if segment else f"{account.name} is in no segment."
        placed = {"account": account.public_id, "segment": segment.code if segment else None}
        return Done(url, said, result=placed)

    def _segment(self, cleaned: Cleaned) -> CustomerSegment | None:
        return find_segment(cleaned["segment"]) if cleaned["segment"] else None

    def _place(self, cleaned: Cleaned, actor: Actor) -> BillingAccount:
        account = find_account(cleaned["billing_account"])
        customer_segments.place(account.pk, self._segment(cleaned), actor=actor, reason=cleaned["reason"], at=now())
        return account


@admin.register(CustomerSegment)
class CustomerSegmentAdmin(NamedAdmin):
    act_pages = (OpenSegment,)
    list_display = ("name", "code", public_id, moment("created_at", "Opened"))
    search_fields = ("name", "code")
    fields = list_display
    empty_text = "There are no segments."
    empty_hint = "Open one with the button above; then place accounts in it and save prices for it."


@admin.register(SegmentMembership)
class SegmentMembershipAdmin(StaffAdmin):
    act_pages = (PlaceAccount,)
    list_display = (account_link, "segment", moment("effective_from", "From"), moment("effective_to", "Until"))
    list_select_related = ("billing_account", "segment")
    search_fields = ("billing_account__name", "=segment__code")
    search_help_text = "Account, or code of a segment"
    fields = list_display
    empty_text = "No account is in a segment."
    empty_hint = "Place one with the button above."
