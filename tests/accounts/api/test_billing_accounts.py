"""Billing accounts over HTTP: read, opened, changed by whoever may, and by nobody else."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.account_deletion import delete_account
from accounts.billing_detail_changes import set_contact, set_invoice_emails, set_tax_ids
from accounts.billing_details import NONE, Contact, details_of
from accounts.lifecycle import open_billing_account
from accounts.models import AuditLog, BillingAccount, LegalEntity
from tests.accounts.api.callers import client_of, member
from tests.cast import ACTOR, BEGINNING, NOON, Cast
from tests.row_counts import row_counts

ACCOUNTS = "/api/v1/billing-accounts"


@pytest.fixture
def detailed(cast: Cast) -> BillingAccount:
    set_contact(cast.prepaid.pk, Contact("ann@acme.example", "Ann Bill", "Acme Ltd"), actor=ACTOR, at=NOON)
    set_invoice_emails(cast.prepaid.pk, ["invoices@acme.example"], actor=ACTOR, at=NOON)
    set_tax_ids(cast.prepaid.pk, [("gb_vat", "GB123456789")], actor=ACTOR, at=NOON)
    return cast.prepaid


def of(account: BillingAccount, path: str = "") -> str:
    return f"{ACCOUNTS}/{account.public_id}{path}"


def wanted(cast: Cast, **more: Any) -> dict[str, Any]:
    plain = {"organization": cast.acme.public_id, "name": "Third", "currency": "EUR", "settlement": "postpaid"}
    return plain | more


def test_a_list_is_filtered_and_asks_little_whatever_its_length(
    cast: Cast,
    detailed: BillingAccount,
    alice: APIClient,
    dana: APIClient,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(30):
        open_billing_account(
            cast.acme, cast.entity, f"A {number}", currency="EUR", settlement="postpaid", actor=ACTOR, at=BEGINNING
        )
    with django_assert_max_num_queries(8):
        rows = alice.get(f"{ACCOUNTS}?limit=100").json()["data"]
    assert len(rows) == 32
    assert rows[-1] == alice.get(of(cast.prepaid)).json()
    assert rows[-1]["contact"] == {"email": "ann@acme.example", "name": "Ann Bill", "business_name": "Acme Ltd"}
    assert rows[-1]["linked_projects_count"] == 1
    for query, count in (
        ("currency=USD", 2),
        ("settlement=prepaid", 1),
        ("phase=Ready&currency=EUR", 30),
        ("phase=Archived", 0),
        (f"organization={cast.acme.public_id}", 32),
    ):
        assert len(alice.get(f"{ACCOUNTS}?limit=100&{query}").json()["data"]) == count, query
    assert alice.get(f"{ACCOUNTS}?phase=ready").json()["errors"][0]["parameter"] == "phase"
    assert alice.get(f"{ACCOUNTS}?organization={cast.strangers.public_id}").status_code == 404
    assert len(dana.get(f"{ACCOUNTS}?organization={cast.strangers.public_id}").json()["data"]) == 1


def test_staff_read_details_masked_until_they_ask(cast: Cast, detailed: BillingAccount, dana: APIClient) -> None:
    masked = dana.get(of(detailed)).json()
    assert masked["contact"] == {"email": "a***@acme.example", "name": "A. B.", "business_name": "A. L."}
    assert masked["tax_ids"] == [{"type": "gb_vat", "value": "•••89"}]
    assert not AuditLog.objects.filter(action="personal_data.show_details").exists()
    shown = dana.get(f"{of(detailed)}?show=details").json()
    assert shown["contact"]["email"] == "ann@acme.example"
    row = AuditLog.objects.get(action="personal_data.show_details")
    assert (row.actor, row.billing_account, row.after) == (cast.dana, detailed, {"page": of(detailed)})
    assert dana.get(of(detailed)).json() == masked
    cast.dana.groups.clear()
    assert dana.get(f"{of(detailed)}?show=details").status_code == 403


def test_an_account_is_opened_with_its_details_or_not_at_all(cast: Cast, alice: APIClient, dana: APIClient) -> None:
    contact = {"contact": {"email": "ann@acme.example"}, "tax_ids": [{"type": "gb_vat", "value": "GB1"}]}
    opened = alice.post(ACCOUNTS, wanted(cast, **contact, external_id="a-3", time_zone="Europe/Berlin"), format="json")
    assert opened.status_code == 201, opened.json()
    body = opened.json()
    assert (body["phase"], body["time_zone"], body["legal_entity"]) == ("Ready", "Europe/Berlin", cast.entity.public_id)
    assert alice.get(f"{ACCOUNTS}/ext:a-3").json() == body
    before = row_counts()
    for body, status, pointer in (
        (wanted(cast, contact={"email": "ann"}), 422, "/contact/email"),
        (wanted(cast, address={"country": "gb"}), 422, "/address/country"),
        (wanted(cast, contact={"name": "Ann"}), 422, "/contact/email"),
        (wanted(cast, tax_ids=[{"type": "gb_vat"}]), 422, "/tax_ids/0/value"),
        (wanted(cast, invoice_emails="a@b.example"), 422, "/invoice_emails"),
        (wanted(cast, settlement="both"), 422, "/settlement"),
        (wanted(cast, time_zone="Mars/Phobos"), 422, "/time_zone"),
        (wanted(cast, external_id="a-3"), 409, "/external_id"),
        (wanted(cast, organization=cast.strangers.public_id), 404, "/organization"),
        (wanted(cast, legal_entity="le_00000000zzzzz"), 404, "/legal_entity"),
        (wanted(cast, payment_terms={"net_days": 60}), 403, "/payment_terms"),
    ):
        refused = alice.post(ACCOUNTS, body, format="json")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (status, pointer), refused.json()
    assert row_counts() == before
    standard = wanted(cast, payment_terms={"net_days": 30, "invoice_day": 1})
    assert alice.post(ACCOUNTS, standard, format="json").status_code == 201
    granted = wanted(cast, payment_terms={"net_days": 60}, reason="a large customer")
    assert dana.post(ACCOUNTS, granted, format="json").json()["payment_terms"]["net_days"] == 60
    assert dana.post(ACCOUNTS, wanted(cast), format="json").json()["code"] == "reason_required"


def test_of_several_companies_of_ours_one_is_named(cast: Cast, alice: APIClient) -> None:
    other = LegalEntity.objects.create(name="Ltd", country="GB", base_currency="GBP", created_at=BEGINNING)
    refused = alice.post(ACCOUNTS, wanted(cast), format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "legal_entity_required")
    named = wanted(cast, legal_entity=other.public_id)
    assert alice.post(ACCOUNTS, named, format="json").json()["legal_entity"] == other.public_id


def test_a_change_is_whole_and_leaves_what_stands(cast: Cast, detailed: BillingAccount, alice: APIClient) -> None:
    read = alice.get(of(detailed))
    emails = {"invoice_emails": ["b@acme.example", "invoices@acme.example"]}
    same = {"tax_ids": [{"type": "gb_vat", "value": "GB123456789"}]}
    changed = alice.patch(of(detailed), emails | same, format="json", headers={"If-Match": read.headers["ETag"]})
    assert changed.json() == read.json() | emails
    assert AuditLog.objects.filter(action="billing_account.set_tax_ids").count() == 1
    late = alice.patch(of(detailed), {"contact": None}, format="json", headers={"If-Match": read.headers["ETag"]})
    assert (late.status_code, late.json()["code"]) == (412, "version_mismatch")
    before = row_counts()
    half = {"contact": None, "address": {"country": "GB", "line1": "x" * 257}}
    assert alice.patch(of(detailed), half, format="json").status_code == 422
    twice = {"contact": None, "tax_ids": [{"type": "gb_vat", "value": "1"}, {"type": "gb_vat", "value": "2"}]}
    assert alice.patch(of(detailed), twice, format="json").json()["code"] == "tax_id_twice"
    assert row_counts() == before
    assert alice.patch(of(detailed), {"contact": None}, format="json").json()["contact"] is None
    assert alice.patch(of(detailed), {}, format="json").status_code == 200


def test_nobody_else_reads_or_writes(cast: Cast, charlie: APIClient, erin: APIClient) -> None:
    viewer = client_of(member(cast.bob, cast.acme, "billing-viewer"))
    user = client_of(member(cast.bob, cast.acme, "project-user", cast.project))
    before = row_counts()
    unknown = charlie.get(f"{ACCOUNTS}/ba_00000000zzzzz").json() | {"request_id": None}
    assert charlie.get(of(cast.prepaid)).json() | {"request_id": None} == unknown
    assert viewer.get(of(cast.prepaid)).status_code == 200
    assert user.get(of(cast.prepaid)).status_code == 403
    said = {"reason": "they asked"}
    for path in ("/suspend", "/reactivate", "/archive"):
        assert charlie.post(of(cast.prepaid, path), said, format="json").status_code == 403
        assert charlie.post(of(cast.prepaid, path), {"x": 1}, format="json").json()["code"] == "forbidden"
        assert viewer.post(of(cast.prepaid, path), said, format="json").status_code == 403
        assert erin.post(of(cast.prepaid, path), said, format="json").status_code == 403
    for client, status in ((charlie, 404), (viewer, 403), (user, 403), (erin, 403)):
        assert client.patch(of(cast.prepaid), {"time_zone": "Asia/Tokyo"}, format="json").status_code == status
        assert client.delete(of(cast.prepaid), {}, format="json").status_code == status
        assert client.post(ACCOUNTS, wanted(cast), format="json").status_code == status
    assert row_counts() == before


def test_a_deleted_account_is_gone_for_its_customer(cast: Cast, alice: APIClient, dana: APIClient) -> None:
    account = open_billing_account(
        cast.acme, cast.entity, "Short", currency="EUR", settlement="postpaid", actor=ACTOR, at=BEGINNING
    )
    set_contact(account.pk, Contact("ann@acme.example"), actor=ACTOR, at=NOON)
    gone = alice.delete(of(account), format="json")
    assert (gone.status_code, gone.json()["phase"], gone.json()["contact"]) == (200, "Archived", None)
    assert details_of(BillingAccount.objects.get(pk=account.pk)) == NONE
    assert alice.get(of(account)).status_code == 404
    assert alice.delete(of(account), format="json").status_code == 404
    assert dana.get(of(account)).json()["deleted_at"] is not None
    assert dana.delete(of(account), {"reason": "again"}, format="json").json()["code"] == "already_deleted"


def test_a_note_of_staff_is_not_told_to_the_customer(cast: Cast, alice: APIClient, dana: APIClient) -> None:
    note = {"reason": "we do not trust them"}
    assert dana.post(of(cast.postpaid, "/suspend"), note, format="json").json()["phase"] == "Suspended"
    (told,) = alice.get(of(cast.postpaid)).json()["enforcement"]["reasons"]
    assert (told["source"], told["level"], told["why"]) == ("phase", "restricted", None)
    assert "trust" not in alice.get(of(cast.postpaid)).text
    assert "trust" in dana.get(of(cast.postpaid)).text


def test_deleting_by_the_act_is_what_the_address_does(cast: Cast, dana: APIClient) -> None:
    account = open_billing_account(
        cast.acme, cast.entity, "Short", currency="EUR", settlement="postpaid", actor=ACTOR, at=BEGINNING
    )
    assert dana.delete(of(account), format="json").json()["code"] == "reason_required"
    delete_account(account.pk, actor=ACTOR, reason="they left", at=NOON)
    assert dana.get(of(account)).json()["phase"] == "Archived"
