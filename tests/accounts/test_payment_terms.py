"""Payment terms: standard at first, staff's to change, within bounds that the database holds as well."""

from typing import Any

import pytest

from accounts.account_phases import archive
from accounts.errors import DomainError
from accounts.models import AuditLog, BillingAccount
from accounts.payment_terms import STANDARD, PaymentTerms, require_standard, set_terms, set_time_zone, terms_of
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.row_counts import row_counts

QUARTERLY = PaymentTerms(60, "Quarterly", 15)


def fresh(account: BillingAccount) -> BillingAccount:
    return BillingAccount.objects.get(pk=account.pk)


def test_an_account_begins_with_the_standard_terms_in_utc(cast: Cast) -> None:
    account = fresh(cast.postpaid)
    assert (account.net_days, account.invoice_frequency, account.invoice_day) == (30, "Monthly", 1)
    assert terms_of(account) == STANDARD
    assert account.time_zone == "UTC"


def test_staff_change_them_for_a_reason_and_the_past_is_kept(cast: Cast) -> None:
    set_terms(cast.postpaid.pk, QUARTERLY, by=cast.dana, reason="a framework contract", at=NOON)
    assert terms_of(fresh(cast.postpaid)) == QUARTERLY
    row = AuditLog.objects.get(action="billing_account.set_terms")
    assert (row.actor, row.reason, row.billing_account) == (cast.dana, "a framework contract", cast.postpaid)
    assert row.before == {"net_days": 30, "invoice_frequency": "Monthly", "invoice_day": 1}
    assert row.after == {"net_days": 60, "invoice_frequency": "Quarterly", "invoice_day": 15}
    before = cast.postpaid.history.order_by("history_id").first()  # type: ignore[attr-defined]
    assert before.net_days == 30


def test_no_customer_and_no_viewer_changes_them(cast: Cast) -> None:
    before = row_counts()
    for who in (cast.alice, cast.bob, cast.charlie, cast.erin):
        with pytest.raises(DomainError) as refused:
            set_terms(cast.postpaid.pk, QUARTERLY, by=who, reason="please", at=NOON)
        assert (refused.value.code, refused.value.status) == ("payment_terms_locked", 403)
    assert row_counts() == before
    assert terms_of(fresh(cast.postpaid)) == STANDARD
    require_standard(STANDARD)
    with pytest.raises(DomainError, match="granted by staff"):
        require_standard(QUARTERLY)


BAD: list[tuple[Any, str]] = [
    *((PaymentTerms(days), "net_days") for days in (0, -1, 3651, True, 1.5, "30")),  # type: ignore[arg-type]
    *((PaymentTerms(30, word), "invoice_frequency") for word in ("", "monthly", "Weekly")),
    *((PaymentTerms(30, "Monthly", day), "invoice_day") for day in (0, 29, 31, -1, False)),
]


@pytest.mark.parametrize(("terms", "field"), BAD)
def test_what_is_out_of_bounds_is_refused_on_its_field(cast: Cast, terms: PaymentTerms, field: str) -> None:
    before = row_counts()
    with pytest.raises(DomainError) as refused:
        set_terms(cast.postpaid.pk, terms, by=cast.dana, reason="a contract", at=NOON)
    assert (refused.value.code, refused.value.field) == ("payment_terms_invalid", field)
    assert row_counts() == before


def test_the_same_terms_no_reason_and_an_archived_account_are_refused(cast: Cast) -> None:
    archive(cast.foreign.pk, actor=ACTOR, reason="closed", at=NOON)
    for account, terms, reason, code in (
        (cast.postpaid, STANDARD, "again", "nothing_changes"),
        (cast.postpaid, QUARTERLY, "x", "reason_required"),
        (cast.foreign, QUARTERLY, "too late", "wrong_phase"),
        (BillingAccount(pk=10**12), QUARTERLY, "nobody", "not_found"),
    ):
        with pytest.raises(DomainError) as refused:
            set_terms(account.pk, terms, by=cast.dana, reason=reason, at=NOON)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("net_days_are_in_range", "net_days = 0"),
        ("net_days_are_in_range", "net_days = 3651"),
        ("invoice_day_is_in_every_month", "invoice_day = 0"),
        ("invoice_day_is_in_every_month", "invoice_day = 29"),
        ("invoice_frequency_is_known", "invoice_frequency = 'Weekly'"),
    ],
)
def test_the_database_refuses_it_too(cast: Cast, rule: str, change: str) -> None:
    with refused_by(rule):
        execute(f"UPDATE billing_accounts SET {change} WHERE id = %s", [cast.postpaid.pk])


def test_a_time_zone_is_one_that_exists(cast: Cast) -> None:
    set_time_zone(cast.prepaid.pk, "Europe/Berlin", actor=ACTOR, at=NOON)
    assert fresh(cast.prepaid).time_zone == "Europe/Berlin"
    row = AuditLog.objects.get(action="billing_account.set_time_zone")
    assert (row.before, row.after) == ({"time_zone": "UTC"}, {"time_zone": "Europe/Berlin"})
    for name in ("", "europe/berlin", "Mars/Olympus", "../etc/passwd", "CEST", "Europe/Berlin\x00"):
        with pytest.raises(DomainError) as refused:
            set_time_zone(cast.prepaid.pk, name, actor=ACTOR, at=NOON)
        assert (refused.value.code, refused.value.field) == ("time_zone_unknown", "time_zone")
