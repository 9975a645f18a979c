"""Seed 000, rows 01 to 10 and 38 over HTTP: accounts as a customer's own program opens, reads and changes them."""

from typing import Any

import pytest

from accounts.models import AuditLog, BillingAccount
from tests.cast import Cast
from tests.row_counts import row_counts
from tests.scenarios.programs import Person, Program

ACCOUNTS = "/api/v1/billing-accounts"
ORGANIZATIONS = "/api/v1/organizations"


@pytest.fixture
def acme(cast: Cast) -> Program:
    return Program(cast.acme.pk)


@pytest.fixture
def elsewhere(cast: Cast) -> Program:
    return Program(cast.strangers.pk)


@pytest.fixture
def dana(cast: Cast) -> Person:
    return Person(cast.dana)


def opened(program: Program, cast: Cast, **more: Any) -> Any:
    wanted = {"organization": cast.acme.public_id, "name": "Research", "currency": "EUR", "settlement": "postpaid"}
    return program("POST", ACCOUNTS, wanted | more)


def test_000_01_an_account_with_a_currency_becomes_ready(cast: Cast, acme: Program) -> None:
    answer = opened(acme, cast)
    assert answer.status_code == 201
    account = acme("GET", f"{ACCOUNTS}/{answer.json()['id']}").json()
    assert (account["currency"], account["phase"]) == ("EUR", "Ready")
    ready = next(row for row in account["conditions"] if row["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "BillingAccountReady")


@pytest.mark.parametrize("currency", ["usd", "invalid", "ZZZ", "", "US", "ＵＳＤ", " USD", 840, None])
def test_000_02_a_bad_currency_is_named(cast: Cast, acme: Program, currency: Any) -> None:
    before = row_counts()
    refused = opened(acme, cast, currency=currency)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/currency")
    assert row_counts() == before


def test_000_03_the_currency_is_immutable(cast: Cast, acme: Program) -> None:
    refused = acme("PATCH", f"{ACCOUNTS}/{cast.prepaid.public_id}", {"currency": "EUR"})
    assert (refused.status_code, refused.json()["code"]) == (422, "currency_immutable")
    assert refused.json()["detail"] == "currencyCode is immutable once the account has been activated"
    assert refused.json()["errors"][0]["pointer"] == "/currency"
    assert BillingAccount.objects.get(pk=cast.prepaid.pk).currency == "USD"


def test_000_04_terms_are_standard_and_locked_to_staff(cast: Cast, acme: Program, dana: Person) -> None:
    account = opened(acme, cast).json()
    assert account["payment_terms"] == {"net_days": 30, "invoice_frequency": "Monthly", "invoice_day": 1}
    address = f"{ACCOUNTS}/{account['id']}"
    refused = acme("PATCH", address, {"payment_terms": {"net_days": 60}})
    assert (refused.status_code, refused.json()["code"]) == (403, "payment_terms_locked")
    assert refused.json()["detail"].startswith("paymentTerms can't be changed; payment terms are granted by")
    assert opened(acme, cast, payment_terms={"net_days": 90}).status_code == 403
    granted = dana("PATCH", address, {"payment_terms": {"net_days": 60}, "reason": "agreed"})
    assert granted.json()["payment_terms"] == account["payment_terms"] | {"net_days": 60}
    wrong = dana("PATCH", address, {"payment_terms": {"invoice_day": 29}, "reason": "agreed"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/payment_terms/invoice_day")


def test_000_05_contact_emails_address_and_country(cast: Cast, acme: Program) -> None:
    address = f"{ACCOUNTS}/{cast.prepaid.public_id}"
    before = row_counts()
    for body, code in (
        ({"contact": {"email": "ann at acme"}}, "email_invalid"),
        ({"invoice_emails": ["a@acme.example", "A@acme.example"]}, "invoice_email_twice"),
        ({"invoice_emails": [f"i{number}@acme.example" for number in range(11)]}, "too_many_invoice_emails"),
        ({"invoice_emails": ["nobody"]}, "email_invalid"),
        ({"address": {"country": "gb"}}, "country_invalid"),
        ({"address": {"line1": "1 High Street"}}, "field_required"),
    ):
        refused = acme("PATCH", address, body)
        assert (refused.status_code, refused.json()["code"]) == (422, code), body
    assert row_counts() == before
    emails = [f"i{number}@acme.example" for number in range(10)]
    whole = {
        "contact": {"email": "ann@acme.example", "name": "Ann", "business_name": "Acme Ltd"},
        "invoice_emails": emails,
        "address": {"country": "GB", "line1": "1 High Street", "city": "Leeds"},
    }
    answer = acme("PATCH", address, whole)
    assert answer.status_code == 200
    account = acme("GET", address).json()
    assert (account["contact"], account["invoice_emails"]) == (whole["contact"], emails)
    assert account["address"]["country"] == "GB"


def test_000_06_tax_ids_are_unique_per_type_and_shape_checked(cast: Cast, acme: Program) -> None:
    address = f"{ACCOUNTS}/{cast.prepaid.public_id}"
    for pairs, code in (
        ([("gb_vat", "GB1"), ("gb_vat", "GB2")], "tax_id_twice"),
        ([("vat", "GB1")], "tax_id_invalid"),
        ([("GB_VAT", "GB1")], "tax_id_invalid"),
    ):
        refused = acme("PATCH", address, {"tax_ids": [{"type": type_, "value": value} for type_, value in pairs]})
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    two = [{"type": "de_vat", "value": "DE1"}, {"type": "gb_vat", "value": "GB1"}]
    assert acme("PATCH", address, {"tax_ids": two}).json()["tax_ids"] == two


def test_000_07_suspended_reactivated_archived(cast: Cast, acme: Program, dana: Person) -> None:
    address = f"{ACCOUNTS}/{opened(acme, cast).json()['id']}"
    for act, phase in (("suspend", "Suspended"), ("reactivate", "Ready"), ("archive", "Archived")):
        assert acme("POST", f"{address}/{act}", {"reason": "we ask"}).status_code == 403
        assert dana("POST", f"{address}/{act}", {"reason": "unpaid"}).json()["phase"] == phase
        assert acme("GET", address).json()["phase"] == phase
    assert dana("POST", f"{address}/reactivate", {"reason": "paid"}).json()["code"] == "wrong_phase"
    acts = AuditLog.objects.filter(
        action__in=[f"billing_account.{act}" for act in ("suspend", "reactivate", "archive")]
    )
    assert {(row.actor, row.reason) for row in acts} == {(cast.dana, "unpaid")}
    assert acts.count() == 3


def test_000_08_a_second_account_needs_the_feature(cast: Cast, elsewhere: Program, dana: Person) -> None:
    wanted = {"organization": cast.strangers.public_id, "name": "Two", "currency": "USD", "settlement": "prepaid"}
    refused = elsewhere("POST", ACCOUNTS, wanted)
    assert (refused.status_code, refused.json()["code"]) == (403, "billing_accounts_quota")
    features = f"{ORGANIZATIONS}/{cast.strangers.public_id}/features"
    grant = {"feature": "multi-billing-accounts", "reason": "departments"}
    assert dana("POST", features, grant).status_code == 201
    assert elsewhere("POST", ACCOUNTS, wanted).status_code == 201


def test_000_09_delete_is_blocked_by_an_active_binding(cast: Cast, acme: Program) -> None:
    refused = acme("DELETE", f"{ACCOUNTS}/{cast.prepaid.public_id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "has_active_bindings")
    assert f"active bindings: Training ({cast.project.public_id})" in refused.json()["detail"]
    assert acme("GET", f"{ACCOUNTS}/{cast.prepaid.public_id}").json()["phase"] == "Ready"


def test_000_38_the_feed_tells_what_people_did(cast: Cast, acme: Program, dana: Person) -> None:
    feed = f"{ORGANIZATIONS}/{cast.acme.public_id}/activity"
    assert acme("GET", feed).json()["data"] == []
    dana("POST", f"{ACCOUNTS}/{cast.postpaid.public_id}/suspend", {"reason": "unpaid"})
    (line,) = acme("GET", feed).json()["data"]
    assert (line["who"], line["did"]) == ("Our staff", "suspended the billing account Acme postpaid")
