"""Which offer each account is billed by; the act that assigns another."""

from django import forms
from django.contrib import admin
from django.urls import reverse

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.found_rows import find_account
from accounts.admin.previews import Preview, facts_about
from accounts.admin.staff_admin import StaffAdmin
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.display import account_link, moment
from accounts.models import User
from quotas.entitlements import assign_offer, entitlement_of, find_offer
from quotas.models import BillingEntitlement


class AssignForm(forms.Form):
    billing_account = text_field("Billing account", hint="Its id: ba_…")
    offer = text_field("Offer", hint="Code of a published offer.")
    reason = reason_field()


class AssignOffer(ActPage):
    name = "assign"
    path = "assign/"
    title = "Assign an offer"
    button = "Assign it"
    explanation = "Usage from now on is priced by it. An account has exactly one."
    form_class = AssignForm

    def preview(self, cleaned: Cleaned) -> Preview:
        account, offer = find_account(cleaned["billing_account"]), find_offer(cleaned["offer"])
        rehearse(lambda: self._assign(cleaned, REHEARSAL))
        current = entitlement_of(account.pk, now())
        facts = [
            *facts_about(account),
            ("Offer now", str(current.offer) if current else "none"),
            ("Offer afterwards", f"{offer.display_name} ({offer.code})"),
            ("Reason", cleaned["reason"]),
        ]
        return Preview(facts)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        held = self._assign(cleaned, person(user))
        url = reverse("admin:quotas_billingentitlement_change", args=[held.pk])
        told = {"account": held.billing_account.public_id, "offer": held.offer.code}
        return Done(url, f"{held.billing_account.name} is billed by {held.offer}.", result=told)

    def _assign(self, cleaned: Cleaned, actor: Actor) -> BillingEntitlement:
        return assign_offer(
            find_account(cleaned["billing_account"]).pk,
            find_offer(cleaned["offer"]),
            actor=actor,
            reason=cleaned["reason"],
            at=now(),
        )


@admin.register(BillingEntitlement)
class BillingEntitlementAdmin(StaffAdmin):
    act_pages = (AssignOffer,)
    list_display = (account_link, "offer", moment("effective_from", "From"), moment("effective_to", "Until"))
    list_select_related = ("billing_account", "offer")
    search_fields = ("billing_account__name", "=offer__code")
    search_help_text = "Account, or code of an offer"
    fields = list_display
    empty_text = "No account is billed by an offer yet."
    empty_hint = "Publish an offer, then assign it with the button above."
