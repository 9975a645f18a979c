"""Contact, invoice addresses, postal address and tax ids of a billing account, each on a page of its own.

What is sent replaces what stands, so a form begins empty: "Fill in what stands" shows it, and the asking is kept.
"""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, cast

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts import billing_detail_changes, personal_data
from accounts.admin.act_pages import Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Fact, Preview
from accounts.admin.within import REHEARSAL, WithinAccount
from accounts.audit import Actor, person
from accounts.billing_details import Address, Contact, Details, details_of
from accounts.clock import now
from accounts.models import BillingAccount, User

_LINES = re.compile(r"[\n;]")


class DetailAct(WithinAccount):
    """What the four have in common."""

    what: ClassVar[str]
    fills: ClassVar[bool] = True

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        if "fill" not in request.POST:
            return super().post(request, **kwargs)
        user, account = cast(User, request.user), self.account()
        with transaction.atomic():
            personal_data.show_details(account.pk, by=user, page=request.path, at=now())
        return self._form(request, self.form_class(initial=self.standing(details_of(account))))

    def preview(self, cleaned: Cleaned) -> Preview:
        account = self.account()
        rehearse(lambda: self.change(cleaned, REHEARSAL))
        facts = self.wanted(cleaned) or [(self.what, "none")]
        named: Fact = ("Billing account", f"{account.name} ({account.public_id})")
        return Preview([named, *facts, ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        changed = self.change(cleaned, person(user))
        return Done(self.url(), f"{self.what} changed.", result={"account": changed.public_id})

    @abstractmethod
    def standing(self, details: Details) -> Cleaned:
        """What the form holds for what stands now."""

    @abstractmethod
    def wanted(self, cleaned: Cleaned) -> Sequence[Fact]:
        """What will stand, line by line."""

    @abstractmethod
    def change(self, cleaned: Cleaned, actor: Actor) -> BillingAccount:
        """Do it. Raises DomainError."""


class ContactForm(forms.Form):
    email = text_field("E-mail", longest=254, required=False, hint="Required. All three empty takes the contact away.")
    contact_name = text_field("Name", longest=256, required=False)
    business_name = text_field(
        "Business name", longest=256, required=False, hint="The customer's name on invoices, where there is one."
    )
    reason = reason_field()


class SetContact(DetailAct):
    name = "contact"
    path = "<int:pk>/contact/"
    title = "Change the contact"
    button = "Change the contact"
    what = "Contact"
    explanation = "Whom we write to about this account. What you send replaces what stands."
    form_class = ContactForm
    fields_of_errors: ClassVar = {"name": "contact_name"}

    def standing(self, details: Details) -> Cleaned:
        contact = details.contact or Contact("")
        return {"email": contact.email, "contact_name": contact.name, "business_name": contact.business_name}

    def wanted(self, cleaned: Cleaned) -> Sequence[Fact]:
        return _filled(self.form_class, cleaned)

    def change(self, cleaned: Cleaned, actor: Actor) -> BillingAccount:
        contact = Contact(cleaned["email"], cleaned["contact_name"], cleaned["business_name"])
        return billing_detail_changes.set_contact(
            self.kwargs["pk"],
            contact if contact != Contact("") else None,
            actor=actor,
            reason=cleaned["reason"],
            at=now(),
        )


class EmailsForm(forms.Form):
    invoice_emails = forms.CharField(
        label="Addresses",
        required=False,
        max_length=3000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "autocomplete": "off"}),
        help_text="One a line, ten at most. The first is the primary one; the others get copies.",
    )
    reason = reason_field()


class SetInvoiceEmails(DetailAct):
    name = "emails"
    path = "<int:pk>/invoice-emails/"
    title = "Change where invoices go"
    button = "Change the addresses"
    what = "Invoices go to"
    explanation = "Without any, invoices go to the contact. What you send replaces what stands."
    form_class = EmailsForm

    def standing(self, details: Details) -> Cleaned:
        return {"invoice_emails": "\n".join(details.invoice_emails)}

    def wanted(self, cleaned: Cleaned) -> Sequence[Fact]:
        emails = _lines(cleaned["invoice_emails"])
        return [("Primary" if place == 1 else f"Copy {place - 1}", email) for place, email in enumerate(emails, 1)]

    def change(self, cleaned: Cleaned, actor: Actor) -> BillingAccount:
        emails = _lines(cleaned["invoice_emails"])
        return billing_detail_changes.set_invoice_emails(
            self.kwargs["pk"], emails, actor=actor, reason=cleaned["reason"], at=now()
        )


class AddressForm(forms.Form):
    country = text_field(
        "Country", longest=2, required=False, hint="Two capital letters, such as GB. All empty takes the address away."
    )
    line1 = text_field("Line 1", longest=256, required=False)
    line2 = text_field("Line 2", longest=256, required=False)
    postal_code = text_field("Postal code", longest=32, required=False)
    city = text_field("City", longest=128, required=False)
    region = text_field("Region", longest=128, required=False)
    reason = reason_field()


class SetAddress(DetailAct):
    name = "address"
    path = "<int:pk>/address/"
    title = "Change the address"
    button = "Change the address"
    what = "Address"
    explanation = "It stands on invoices and decides about tax. What you send replaces what stands."
    form_class = AddressForm

    def standing(self, details: Details) -> Cleaned:
        address = details.address or Address("")
        return {name: getattr(address, name) for name in self.form_class.base_fields if name != "reason"}

    def wanted(self, cleaned: Cleaned) -> Sequence[Fact]:
        return _filled(self.form_class, cleaned)

    def change(self, cleaned: Cleaned, actor: Actor) -> BillingAccount:
        address = Address(**{name: cleaned[name] for name in self.form_class.base_fields if name != "reason"})
        return billing_detail_changes.set_address(
            self.kwargs["pk"],
            address if address != Address("") else None,
            actor=actor,
            reason=cleaned["reason"],
            at=now(),
        )


class TaxIdsForm(forms.Form):
    tax_ids = forms.CharField(
        label="Tax ids",
        required=False,
        max_length=3000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autocomplete": "off"}),
        help_text="One a line: type and number, such as gb_vat GB987654321. Each type once.",
    )
    reason = reason_field()


class SetTaxIds(DetailAct):
    name = "taxids"
    path = "<int:pk>/tax-ids/"
    title = "Change the tax ids"
    button = "Change the tax ids"
    what = "Tax ids"
    explanation = "They stand on invoices. What you send replaces what stands."
    form_class = TaxIdsForm

    def standing(self, details: Details) -> Cleaned:
        return {"tax_ids": "\n".join(f"{type_} {value}" for type_, value in details.tax_ids)}

    def wanted(self, cleaned: Cleaned) -> Sequence[Fact]:
        return _pairs(cleaned["tax_ids"])

    def change(self, cleaned: Cleaned, actor: Actor) -> BillingAccount:
        pairs = _pairs(cleaned["tax_ids"])
        return billing_detail_changes.set_tax_ids(
            self.kwargs["pk"], pairs, actor=actor, reason=cleaned["reason"], at=now()
        )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in _LINES.split(text) if line.strip()]


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(type_, value.strip()) for type_, _, value in (line.partition(" ") for line in _lines(text))]


def _filled(form: type[forms.Form], cleaned: Mapping[str, str]) -> list[Fact]:
    shown = [(field.label or name, cleaned[name]) for name, field in form.base_fields.items() if name != "reason"]
    return [(str(label), value) for label, value in shown if value]
