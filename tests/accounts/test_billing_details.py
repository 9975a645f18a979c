"""Contact, invoice addresses, postal address and tax ids: bounded at the door and by the database, erased whole."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.account_phases import archive
from accounts.billing_detail_changes import erase, set_address, set_contact, set_invoice_emails, set_tax_ids
from accounts.billing_details import NONE, Address, Contact, check_tax_ids, details_of
from accounts.errors import DomainError
from accounts.models import AuditLog, BillingAccount
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.row_counts import row_counts

TEN = [f"invoices-{number}@acme.example" for number in range(10)]
FULL: dict[Callable[..., BillingAccount], Any] = {
    set_contact: Contact("Ann.Bill@acme.example", "Ann Bill", "Acme Ltd"),
    set_invoice_emails: TEN,
    set_address: Address("GB", "1 High Street", "Floor 2", "Leeds", "Yorkshire", "LS1 4AP"),
    set_tax_ids: [("gb_vat", "GB123456789"), ("de_vat", "DE136695976")],
}
NOTHING: dict[Callable[..., BillingAccount], Any] = {
    set_contact: None,
    set_invoice_emails: [],
    set_address: None,
    set_tax_ids: [],
}


def fill(account: BillingAccount, values: dict[Callable[..., BillingAccount], Any] = FULL) -> None:
    for act, value in values.items():
        act(account.pk, value, actor=ACTOR, reason="they wrote in", at=NOON)


def fresh(account: BillingAccount) -> BillingAccount:
    return BillingAccount.objects.get(pk=account.pk)


def test_what_is_set_stands_and_what_is_sent_next_replaces_it(cast: Cast) -> None:
    fill(cast.prepaid)
    details = details_of(fresh(cast.prepaid))
    assert details.contact == Contact("Ann.Bill@acme.example", "Ann Bill", "Acme Ltd")
    assert details.invoice_emails == tuple(TEN)
    assert details.address == Address("GB", "1 High Street", "Floor 2", "Leeds", "Yorkshire", "LS1 4AP")
    assert details.tax_ids == (("de_vat", "DE136695976"), ("gb_vat", "GB123456789"))
    set_invoice_emails(cast.prepaid.pk, [TEN[1], TEN[0]], actor=ACTOR, at=NOON)
    assert details_of(cast.prepaid).invoice_emails == (TEN[1], TEN[0])
    assert details_of(cast.postpaid) == NONE
    fill(cast.prepaid, NOTHING)
    assert details_of(fresh(cast.prepaid)) == NONE


def test_the_same_again_is_refused_and_written_nowhere(cast: Cast) -> None:
    fill(cast.prepaid)
    before = row_counts()
    for act, value in FULL.items():
        with pytest.raises(DomainError) as refused:
            act(cast.prepaid.pk, value, actor=ACTOR, reason="again", at=NOON)
        assert refused.value.code == "nothing_changes"
    assert row_counts() == before


BAD: list[tuple[Callable[..., BillingAccount], Any, str, str]] = [
    *(
        (set_contact, Contact(bad, "Ann"), "email_invalid", "email")
        for bad in ("", "ann", "a@b@c", "a b@c.de", "ä\x00")
    ),
    (set_contact, Contact(f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.example"), "email_invalid", "email"),
    (set_contact, Contact("a@b.example", "x" * 257), "name_invalid", "name"),
    (set_contact, Contact("a@b.example", "", "x" * 257), "name_invalid", "business_name"),
    (set_contact, Contact("a@b.example", "two\nlines"), "name_invalid", "name"),
    (set_invoice_emails, [*TEN, "one-more@acme.example"], "too_many_invoice_emails", "invoice_emails"),
    (set_invoice_emails, ["a@b.example", "A@B.example"], "invoice_email_twice", "invoice_emails"),
    (set_invoice_emails, ["a@b.example", "b"], "email_invalid", "invoice_emails"),
    *(
        (set_address, Address(bad), "country_invalid", "country")
        for bad in ("", "gb", "G", "GBR", "G1", "ＧＢ", "GB\n")
    ),
    (set_address, Address("GB", line1="x" * 257), "name_invalid", "line1"),
    (set_address, Address("GB", line2="x" * 257), "name_invalid", "line2"),
    (set_address, Address("GB", city="x" * 129), "name_invalid", "city"),
    (set_address, Address("GB", region="x" * 129), "name_invalid", "region"),
    (set_address, Address("GB", postal_code="x" * 33), "name_invalid", "postal_code"),
    (set_tax_ids, [("gb_vat", "GB1"), ("gb_vat", "GB2")], "tax_id_twice", "tax_ids"),
    *(
        (set_tax_ids, [(bad, "1")], "tax_id_invalid", "tax_ids")
        for bad in ("", "gb", "gb_", "GB_vat", "gb_VAT", "g_vat", "gb__vat", "gb_vat1", "gb-vat", "gb_" + "v" * 30)
    ),
    *((set_tax_ids, [("gb_vat", bad)], "tax_id_invalid", "tax_ids") for bad in ("", " ", "x" * 65, "1\x002")),
]


@pytest.mark.parametrize(("act", "value", "code", "field"), BAD)
def test_what_is_out_of_bounds_is_refused_on_its_field(
    cast: Cast, act: Callable[..., BillingAccount], value: Any, code: str, field: str
) -> None:
    before = row_counts()
    with pytest.raises(DomainError) as refused:
        act(cast.prepaid.pk, value, actor=ACTOR, reason="they wrote in", at=NOON)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert row_counts() == before


def test_the_longest_of_everything_is_taken(cast: Cast) -> None:
    set_contact(cast.prepaid.pk, Contact("a@b.example", "x" * 256, "y" * 256), actor=ACTOR, at=NOON)
    lines = {"line1": 256, "line2": 256, "city": 128, "region": 128, "postal_code": 32}
    longest = Address("GB", **{name: "x" * most for name, most in lines.items()})
    set_address(cast.prepaid.pk, longest, actor=ACTOR, at=NOON)
    assert check_tax_ids([("gb_" + "v" * 29, "9" * 64)]) == (("gb_" + "v" * 29, "9" * 64),)


def test_an_archived_account_is_left_as_it_is_but_may_be_forgotten(cast: Cast) -> None:
    fill(cast.foreign)
    archive(cast.foreign.pk, actor=ACTOR, reason="closed", at=NOON)
    for act, value in NOTHING.items():
        with pytest.raises(DomainError) as refused:
            act(cast.foreign.pk, value, actor=ACTOR, reason="too late", at=NOON)
        assert refused.value.code == "wrong_phase"
    erase(cast.foreign)
    assert details_of(fresh(cast.foreign)) == NONE


def test_nothing_of_it_is_kept_outside_its_own_rows(cast: Cast) -> None:
    fill(cast.prepaid)
    kept = json.dumps([list(AuditLog.objects.values_list("before", "after")), list(history(cast.prepaid))], default=str)
    for word in ("Ann", "Bill", "Acme Ltd", "invoices-", "High Street", "Leeds", "LS1", "GB123", "DE136"):
        assert word not in kept, word
    audited = AuditLog.objects.filter(action__startswith="billing_account.set_").order_by("pk")
    assert [row.after for row in audited] == [
        {"given": ["email", "name", "business_name"]},
        {"addresses": 10},
        {"given": ["country", "line1", "line2", "city", "region", "postal_code"]},
        {"types": ["de_vat", "gb_vat"]},
    ]


def history(account: BillingAccount) -> Any:
    return account.history.values()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rule", "table", "values"),
    [
        ("contact_has_an_email", "billing_contacts", {"email": "", "name": "Ann", "business_name": ""}),
        ("at_most_ten_invoice_emails", "invoice_emails", {"place": 11, "email": "k@acme.example"}),
        ("at_most_ten_invoice_emails", "invoice_emails", {"place": 0, "email": "k@acme.example"}),
        ("one_invoice_email_per_place", "invoice_emails", {"place": 1, "email": "k@acme.example"}),
        ("an_invoice_email_is_listed_once", "invoice_emails", {"place": 9, "email": "A@ACME.example"}),
        ("invoice_email_is_an_address", "invoice_emails", {"place": 9, "email": "nobody"}),
        ("one_tax_id_per_type", "tax_ids", {"type": "gb_vat", "value": "GB2"}),
        ("tax_id_type_shape", "tax_ids", {"type": "vat", "value": "1"}),
        ("tax_id_has_a_value", "tax_ids", {"type": "de_vat", "value": ""}),
        (
            "address_country_shape",
            "billing_addresses",
            {"country": "gb", "line1": "", "line2": "", "city": "", "region": "", "postal_code": ""},
        ),
    ],
)
def test_the_database_refuses_it_too(cast: Cast, rule: str, table: str, values: dict[str, Any]) -> None:
    set_invoice_emails(cast.prepaid.pk, ["a@acme.example"], actor=ACTOR, at=NOON)
    set_tax_ids(cast.prepaid.pk, [("gb_vat", "GB1")], actor=ACTOR, at=NOON)
    columns = ", ".join(values)
    with refused_by(rule):
        execute(
            f"INSERT INTO {table} (billing_account_id, {columns}) VALUES ({', '.join(['%s'] * (len(values) + 1))})",
            [cast.prepaid.pk, *values.values()],
        )
