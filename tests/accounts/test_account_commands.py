"""Accounts and what people did, as commands answer it: one JSON object, personal data masked, refusals with a code."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.account_phases import suspend
from accounts.audit import person
from accounts.billing_detail_changes import set_address, set_contact, set_invoice_emails, set_tax_ids
from accounts.billing_details import Address, Contact
from tests.cast import ACTOR, NOON, Cast


def run(name: str, *arguments: str) -> dict[str, Any]:
    printed = io.StringIO()
    call_command(name, *arguments, stdout=printed)
    answer: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])
    return answer


def refused(name: str, *arguments: str) -> dict[str, Any]:
    printed = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(name, *arguments, stdout=printed)
    assert caught.value.returncode == 1
    said: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])["error"]
    return said


def test_an_account_is_shown_with_all_that_stands(cast: Cast) -> None:
    set_contact(cast.prepaid.pk, Contact("ann@acme.example", "Ann Bill", "Acme Ltd"), actor=ACTOR, at=NOON)
    set_invoice_emails(cast.prepaid.pk, ["invoices@acme.example"], actor=ACTOR, at=NOON)
    set_address(cast.prepaid.pk, Address("GB", "1 High Street"), actor=ACTOR, at=NOON)
    set_tax_ids(cast.prepaid.pk, [("gb_vat", "GB123456789")], actor=ACTOR, at=NOON)
    suspend(cast.prepaid.pk, actor=ACTOR, reason="unpaid", at=NOON)
    shown = run("show_account", cast.prepaid.public_id)
    assert shown["phase"] == "Suspended"
    assert shown["payment_terms"] == {"net_days": 30, "invoice_frequency": "Monthly", "invoice_day": 1}
    assert shown["organization_quota"] == {"used": 2, "allowed": 100}
    assert shown["linked_projects_count"] == 1
    assert (shown["time_zone"], shown["currency"], shown["deleted_at"]) == ("UTC", "USD", None)
    ready = {"type": "Ready", "status": "False", "reason": "BillingAccountNotReady"}
    assert ready.items() <= next(row for row in shown["conditions"] if row["type"] == "Ready").items()
    assert shown["enforcement"]["level"] == "restricted"
    assert [row["source"] for row in shown["enforcement"]["reasons"]] == ["phase"]
    assert shown["contact"] == {"email": "a***@acme.example", "name": "A. B.", "business_name": "A. L."}
    assert shown["invoice_emails"] == ["i***@acme.example"]
    assert (shown["address"]["country"], shown["address"]["line1"]) == ("GB", "•••")
    assert shown["tax_ids"] == [{"type": "gb_vat", "value": "•••89"}]


def test_an_account_without_details_is_shown_without(cast: Cast) -> None:
    shown = run("show_account", cast.foreign.public_id)
    assert (shown["contact"], shown["invoice_emails"], shown["address"], shown["tax_ids"]) == (None, [], None, [])
    assert shown["organization_quota"] == {"used": 1, "allowed": 1}


def test_what_people_did_is_answered_by_organization_and_by_account(cast: Cast) -> None:
    suspend(cast.prepaid.pk, actor=person(cast.dana), reason="unpaid", at=NOON)
    for subject in (cast.acme.public_id, cast.prepaid.public_id):
        told = run("show_activity", subject)
        (line,) = told["lines"]
        assert (line["who"], line["did"]) == ("Dana", "suspended the billing account Acme prepaid")
        assert (line["reason"], line["kind"], line["at"]) == ("unpaid", "account", "2026-03-10T12:00:00+00:00")
        assert told["older"] is None
        assert run("show_activity", subject, "--kind=money")["lines"] == []


@pytest.mark.parametrize("given", ["", "1", "ba_", "ba_0000000zzzzzz", "ba_zzzzzzzzzzzzz", "usr_0000000000001", "１"])
def test_what_names_nothing_is_refused(cast: Cast, given: str) -> None:
    assert refused("show_account", given)["code"] == "not_found"
    assert refused("show_activity", given)["code"] == "not_found"
    assert refused("show_activity", cast.acme.public_id, "--kind=nonsense")["code"] == "kind_unknown"
