"""Payment terms and time zone of a billing account. Only staff change terms."""

import re

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import payment_terms
from accounts.admin.act_pages import Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL, WithinAccount
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.models import BillingAccount, InvoiceFrequency, User
from accounts.payment_terms import PaymentTerms, TermsInvalid, terms_of

_WHOLE = re.compile(r"[0-9]{1,6}", re.ASCII)


class TermsForm(forms.Form):
    net_days = text_field("Net days", longest=20, hint="An invoice is due so many days after it was written.")
    invoice_frequency = forms.ChoiceField(
        label="Invoices", choices=InvoiceFrequency.choices, widget=UnfoldAdminSelectWidget()
    )
    invoice_day = text_field("Day of the month", longest=20, hint="On which an invoice is written, from 1 to 28.")
    reason = reason_field("Who granted these terms, and why. It is kept for the auditors.")


class SetTerms(WithinAccount):
    name = "terms"
    path = "<int:pk>/terms/"
    title = "Change the payment terms"
    button = "Change the terms"
    explanation = "For invoices not yet written. Customers cannot change them."
    form_class = TermsForm

    def first_values(self, request: HttpRequest) -> Cleaned:
        terms = terms_of(self.account())
        return {name: getattr(terms, name) for name in ("net_days", "invoice_frequency", "invoice_day")}

    def preview(self, cleaned: Cleaned) -> Preview:
        account = self.account()
        wanted = payment_terms.check_change(account, _terms(cleaned))
        return Preview(
            [
                ("Billing account", f"{account.name} ({account.public_id})"),
                ("Terms now", str(terms_of(account))),
                ("Terms afterwards", str(wanted)),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        changed = payment_terms.set_terms(
            self.kwargs["pk"], _terms(cleaned), by=user, reason=cleaned["reason"], at=now()
        )
        return Done(self.url(), f"Terms: {terms_of(changed)}.", result={"account": changed.public_id})


class TimeZoneForm(forms.Form):
    time_zone = text_field("Time zone", longest=64, hint="Its IANA name, such as Europe/Berlin.")
    reason = reason_field()


class SetTimeZone(WithinAccount):
    name = "timezone"
    path = "<int:pk>/time-zone/"
    title = "Change the time zone"
    button = "Change the time zone"
    explanation = "In which the account's days and billing periods begin. Periods that have begun keep theirs."
    form_class = TimeZoneForm

    def first_values(self, request: HttpRequest) -> Cleaned:
        return {"time_zone": self.account().time_zone}

    def preview(self, cleaned: Cleaned) -> Preview:
        account = self.account()
        rehearse(lambda: self._set(cleaned, REHEARSAL))
        return Preview(
            [
                ("Billing account", f"{account.name} ({account.public_id})"),
                ("Time zone now", account.time_zone),
                ("Time zone afterwards", cleaned["time_zone"]),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        changed = self._set(cleaned, person(user))
        return Done(self.url(), f"Time zone: {changed.time_zone}.", result={"account": changed.public_id})

    def _set(self, cleaned: Cleaned, actor: Actor) -> BillingAccount:
        return payment_terms.set_time_zone(
            self.kwargs["pk"], cleaned["time_zone"], actor=actor, reason=cleaned["reason"], at=now()
        )


def _terms(cleaned: Cleaned) -> PaymentTerms:
    """The terms as typed. Raises TermsInvalid."""
    for name in ("net_days", "invoice_day"):
        if not _WHOLE.fullmatch(cleaned[name]):
            raise TermsInvalid("write a whole number", field=name)
    return PaymentTerms(int(cleaned["net_days"]), cleaned["invoice_frequency"], int(cleaned["invoice_day"]))
