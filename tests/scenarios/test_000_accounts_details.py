"""Seed 000, rows 05 and 06: whom invoices name, through the pages staff use; faults are said and nothing is written."""

from django.test import Client
from django.urls import reverse

from accounts.billing_details import NONE, Address, Contact, details_of
from accounts.models import BillingAccount
from tests.cast import Cast
from tests.row_counts import row_counts
from tests.scenarios.acting import act


def page(name: str, account: BillingAccount) -> str:
    return reverse(f"admin:accounts_billingaccount_{name}", args=[account.pk])


def dana_of(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.dana)
    return client


def test_000_05_contact_invoice_emails_address_and_country_code(cast: Cast) -> None:
    dana, account = dana_of(cast), cast.postpaid
    before = row_counts()
    eleven = "\n".join(f"i{number}@acme.example" for number in range(11))
    for form, values, said in (
        ("contact", {"email": "ann at acme", "contact_name": "Ann", "business_name": ""}, "email_invalid"),
        ("contact", {"email": "", "contact_name": "Ann", "business_name": ""}, "email_invalid"),
        ("emails", {"invoice_emails": "a@acme.example\nA@acme.example"}, "invoice_email_twice"),
        ("emails", {"invoice_emails": eleven}, "too_many_invoice_emails"),
        ("emails", {"invoice_emails": "a@acme.example\nnobody"}, "email_invalid"),
        ("address", {"country": "gb", "line1": "1 High Street"}, "country_invalid"),
        ("address", {"country": "", "line1": "1 High Street"}, "country_invalid"),
    ):
        refused = act(dana, page(form, account), values | {"reason": "they wrote in"})
        assert refused.status_code == 422, (form, values)
        assert f"({said})" in refused.text, (form, values)
    assert row_counts() == before
    assert details_of(account) == NONE

    ten = "\n".join(f"i{number}@acme.example" for number in range(10))
    for form, values in (
        ("contact", {"email": "ann@acme.example", "contact_name": "Ann", "business_name": "Acme Ltd"}),
        ("emails", {"invoice_emails": ten}),
        ("address", {"country": "GB", "line1": "1 High Street", "city": "Leeds"}),
    ):
        assert "changed." in act(dana, page(form, account), values | {"reason": "they wrote in"}).text
    details = details_of(BillingAccount.objects.get(pk=account.pk))
    assert details.contact == Contact("ann@acme.example", "Ann", "Acme Ltd")
    assert (details.invoice_emails[0], len(details.invoice_emails)) == ("i0@acme.example", 10)
    assert details.address == Address("GB", "1 High Street", city="Leeds")
    shown = dana.get(page("change", account)).text
    assert "a***@acme.example" in shown
    assert "ann@acme.example" not in shown


def test_000_06_tax_ids_are_unique_per_type_and_shape_checked(cast: Cast) -> None:
    dana, account = dana_of(cast), cast.postpaid
    before = row_counts()
    for typed, said in (
        ("gb_vat GB123456789\ngb_vat GB987654321", "tax_id_twice"),
        ("vat GB123456789", "tax_id_invalid"),
        ("GB_VAT GB123456789", "tax_id_invalid"),
        ("gb_vat", "tax_id_invalid"),
        (f"gb_vat {'9' * 65}", "tax_id_invalid"),
    ):
        refused = act(dana, page("taxids", account), {"tax_ids": typed, "reason": "they wrote in"})
        assert refused.status_code == 422, typed
        assert f"({said})" in refused.text, typed
    assert row_counts() == before
    two = {"tax_ids": "gb_vat GB123456789\nde_vat DE136695976", "reason": "they wrote in"}
    assert "Tax ids changed." in act(dana, page("taxids", account), two).text
    assert details_of(account).tax_ids == (("de_vat", "DE136695976"), ("gb_vat", "GB123456789"))
    assert "gb_vat •••89" in dana.get(page("change", account)).text
