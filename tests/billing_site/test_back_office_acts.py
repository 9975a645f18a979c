"""Acts through their pages: preview, once, a second person above the limit, and bad input that writes nothing."""

import re
from html import unescape
from typing import Any

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts import one_time_tokens
from accounts.models import ApprovalRequest, AuditLog, BillingAccount, UsedFormToken, User
from ledger.balances import balance
from ledger.models import LedgerEntry, LedgerTransaction
from payments.models import BankTransfer
from quotas.models import SkuRate
from tests.cast import Cast

RECORD = "admin:payments_banktransfer_record"
ADJUST = "admin:ledger_ledgerentry_adjust"

# Fault 23 of the reliability list: what must never be read as an amount.
BAD_AMOUNTS = (
    *(
        "0",
        "1.5",
        "1e3",
        "1_000",
        "１００",
        "٣",
        "9223372036854775808",
        "NaN",
        "Infinity",
        "-Infinity",
        "",
        " ",
        "true",
    ),
    *("true", "1,000", "0x10", "+5", "--5", "²", "1000000000000001", "10\x00", "= 5", "None"),
)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def dana(cast: Cast) -> Client:
    return signed_in(cast.dana)


@pytest.fixture
def erin(cast: Cast) -> Client:
    return signed_in(cast.erin)


def transfer_form(account: BillingAccount, **changes: str) -> dict[str, str]:
    return {
        "billing_account": account.public_id,
        "amount_minor": "5000",
        "currency": "USD",
        "value_date": "2026-03-10",
        "reference": "STMT-7",
        "reason": "statement of the tenth",
    } | changes


def adjust_form(account: BillingAccount, **changes: str) -> dict[str, str]:
    form = {"billing_account": account.public_id, "amount_minor": "250", "currency": "USD", "reason": "goodwill"}
    return form | changes


def sent(response: HttpResponse) -> dict[str, str]:
    """The hidden fields of a preview: what its button sends."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', response.text)
    values = {name: unescape(value) for name, value in found}
    assert "token" in values, "no preview was shown"
    return values


def previewed(client: Client, page: str, form: dict[str, str], *args: Any) -> dict[str, str]:
    response = client.post(reverse(page, args=args), form)
    assert response.status_code == 200, response.text
    return sent(response)


def written() -> tuple[int, ...]:
    return tuple(
        model.objects.count()
        for model in (LedgerEntry, LedgerTransaction, BankTransfer, ApprovalRequest, UsedFormToken, AuditLog, SkuRate)
    )


def test_a_transfer_is_previewed_then_recorded_once(cast: Cast, dana: Client) -> None:
    before = written()
    page = reverse(RECORD)
    preview = dana.post(page, transfer_form(cast.prepaid))
    text = preview.text
    assert "bank" in text
    assert "−50.00 USD" in text
    assert "wallet" in text
    assert "0.00 USD" in text
    assert "second person" not in text
    assert written() == before
    form = sent(preview)
    done = dana.post(page, form)
    transfer = BankTransfer.objects.get()
    assert done.status_code == 302
    assert done.url == reverse("admin:ledger_ledgertransaction_change", args=[transfer.transaction_id])
    assert "Sum of all entries" in dana.get(done.url).text
    assert balance(cast.prepaid).amount_minor == 5000
    assert transfer.recorded_by == cast.dana
    after = written()
    again = dana.post(page, form)
    assert again.status_code == 409
    assert "This was already done; nothing was done twice" in again.text
    assert written() == after


def test_a_token_does_what_was_previewed_and_nothing_else(cast: Cast, dana: Client, erin: Client) -> None:
    form = previewed(dana, RECORD, transfer_form(cast.prepaid))
    before = written()
    for changed in ({"amount_minor": "9000"}, {"billing_account": cast.postpaid.public_id}, {"token": "forged"}):
        response = dana.post(reverse(RECORD), form | changed)
        assert response.status_code == 409
        assert "The form is stale; open it again" in response.text
    assert dana.post(reverse(ADJUST), adjust_form(cast.prepaid, token=form["token"])).status_code == 409
    other = User.objects.create_superuser("root@countinghouse.example")
    assert signed_in(other).post(reverse(RECORD), form).status_code == 409
    assert written() == before


def test_a_token_older_than_an_hour_is_stale(cast: Cast, dana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    form = previewed(dana, RECORD, transfer_form(cast.prepaid))
    before = written()
    real = signing.time.time
    monkeypatch.setattr(signing.time, "time", lambda: real() + one_time_tokens.MAXIMUM_AGE_SECONDS + 1)
    assert "The form is stale" in dana.post(reverse(RECORD), form).text
    assert written() == before


def test_what_is_refused_leaves_the_token_unspent(cast: Cast, dana: Client) -> None:
    first = previewed(dana, RECORD, transfer_form(cast.prepaid))
    second = previewed(dana, RECORD, transfer_form(cast.prepaid, amount_minor="4000"))
    assert dana.post(reverse(RECORD), first).status_code == 302
    before = written()
    refused = dana.post(reverse(RECORD), second)
    assert refused.status_code == 409
    assert "(reference_used)" in refused.text
    assert written() == before


def test_one_may_go_back_and_change_something(cast: Cast, dana: Client) -> None:
    form = previewed(dana, RECORD, transfer_form(cast.prepaid))
    response = dana.post(reverse(RECORD), form | {"edit": "1"})
    assert 'value="STMT-7"' in response.text
    assert "statement of the tenth" in response.text
    assert not BankTransfer.objects.exists()


BAD_TRANSFERS = (
    ({"amount_minor": "-5"}, "amount_minor", "amount_invalid"),
    ({"currency": "EUR"}, "currency", "currency_mismatch"),
    ({"currency": "usd"}, "currency", "currency_mismatch"),
    ({"billing_account": "ba_zzzzzzzzzzzzz"}, "billing_account", "not_found"),
    ({"billing_account": "ba_0000000zzzzzz"}, "billing_account", "not_found"),
    ({"billing_account": "1"}, "billing_account", "not_found"),
    ({"billing_account": "org_0000000000001"}, "billing_account", "not_found"),
    ({"value_date": "10000-01-01"}, "value_date", "Enter a valid date"),
    ({"value_date": "0001-01-01"}, "value_date", "time_invalid"),
    ({"value_date": "9999-12-31"}, "value_date", "time_invalid"),
    ({"value_date": "yesterday"}, "value_date", "Enter a valid date"),
    ({"value_date": ""}, "value_date", "required"),
    ({"reference": "=1+1"}, "reference", "reference_invalid"),
    ({"reference": "ünïcode"}, "reference", "reference_invalid"),
    ({"reference": "x" * 500}, "reference", "at most 120"),
    ({"reason": ""}, "reason", "required"),
    ({"reason": "x" * 3000}, "reason", "at most 2000"),
)


@pytest.mark.parametrize("page", [RECORD, ADJUST])
def test_what_is_no_amount_is_refused_on_its_field(cast: Cast, dana: Client, page: str) -> None:
    form = transfer_form if page == RECORD else adjust_form
    before = written()
    for amount in BAD_AMOUNTS:
        response = dana.post(reverse(page), form(cast.prepaid, amount_minor=amount))
        assert response.status_code == 422, amount
        assert _errors_of(response, "amount_minor"), amount
    assert written() == before


def test_bad_input_is_refused_on_its_field(cast: Cast, dana: Client) -> None:
    before = written()
    for change, field, said in BAD_TRANSFERS:
        response = dana.post(reverse(RECORD), transfer_form(cast.prepaid, **change))
        assert response.status_code == 422, change
        assert said in " ".join(_errors_of(response, field)), change
    assert written() == before


def test_what_the_act_refuses_is_said_on_its_field(cast: Cast, dana: Client) -> None:
    for change, field, code in (
        ({"value_date": "2199-12-31"}, "value_date", "time_invalid"),
        ({"reason": "x"}, "reason", "reason_required"),
    ):
        form = previewed(dana, RECORD, transfer_form(cast.prepaid, **change))
        before = written()
        response = dana.post(reverse(RECORD), form)
        assert response.status_code == 422
        assert code in " ".join(_errors_of(response, field))
        assert written() == before


def test_a_wallet_is_not_adjusted_below_zero(cast: Cast, dana: Client) -> None:
    form = previewed(dana, ADJUST, adjust_form(cast.prepaid, amount_minor="-1"))
    before = written()
    response = dana.post(reverse(ADJUST), form)
    assert response.status_code == 409
    assert "insufficient_balance" in " ".join(_errors_of(response, "amount_minor"))
    assert written() == before


def test_an_adjustment_above_the_limit_waits_for_a_second_person(cast: Cast, dana: Client, erin: Client) -> None:
    response = dana.post(reverse(ADJUST), adjust_form(cast.prepaid, amount_minor="10001"))
    assert "wait for a second person" in response.text
    filed = dana.post(reverse(ADJUST), sent(response))
    asked = ApprovalRequest.objects.get()
    page = reverse("admin:accounts_approvalrequest_change", args=[asked.pk])
    assert filed.url == page
    assert balance(cast.prepaid).amount_minor == 0
    own = dana.get(page).text
    assert "You asked for this" in own
    assert 'name="decision"' not in own
    shown = erin.get(page)
    assert "100.01 USD" in shown.text
    assert "allowances" in shown.text
    decide = reverse("admin:accounts_approvalrequest_decide", args=[asked.pk])
    token = _token(shown)
    erin.post(decide, {"decision": "approve", "note": "agreed", "token": token})
    asked.refresh_from_db()
    assert (asked.state, asked.checker) == ("approved", cast.erin)
    assert balance(cast.prepaid).amount_minor == 10001
    after = written()
    again = erin.post(decide, {"decision": "approve", "note": "", "token": token}, follow=True)
    assert "already done" in again.text
    assert written() == after
    assert "transaction" in erin.get(page).text


def test_a_request_is_rejected_and_nothing_is_done(cast: Cast, dana: Client, erin: Client) -> None:
    asked = _ask(cast, dana)
    page = reverse("admin:accounts_approvalrequest_change", args=[asked.pk])
    answer = {"decision": "reject", "note": "not this one", "token": _token(erin.get(page))}
    response = erin.post(reverse("admin:accounts_approvalrequest_decide", args=[asked.pk]), answer, follow=True)
    asked.refresh_from_db()
    assert asked.state == "rejected"
    assert "not this one" in response.text
    assert not LedgerEntry.objects.exists()


def test_nobody_decides_what_they_asked_for_superusers_included(cast: Cast) -> None:
    root = User.objects.create_superuser("root@countinghouse.example")
    client = signed_in(root)
    asked = _ask(cast, client)
    page = reverse("admin:accounts_approvalrequest_change", args=[asked.pk])
    shown = client.get(page)
    assert 'name="decision"' not in shown.text
    token = one_time_tokens.issue(root, f"approval.decide:{asked.pk}")
    before = written()
    decide = reverse("admin:accounts_approvalrequest_decide", args=[asked.pk])
    response = client.post(decide, {"decision": "approve", "token": token}, follow=True)
    assert "maker_is_checker" in response.text
    asked.refresh_from_db()
    assert asked.state == "pending"
    assert written() == before


def test_an_operator_does_not_decide(cast: Cast, dana: Client) -> None:
    root = User.objects.create_superuser("root@countinghouse.example")
    asked = _ask(cast, signed_in(root))
    token = one_time_tokens.issue(cast.dana, f"approval.decide:{asked.pk}")
    decide = reverse("admin:accounts_approvalrequest_decide", args=[asked.pk])
    assert dana.post(decide, {"decision": "approve", "token": token}).status_code == 403
    asked.refresh_from_db()
    assert asked.state == "pending"


def test_a_stale_decision_is_a_friendly_message(cast: Cast, dana: Client, erin: Client) -> None:
    asked = _ask(cast, dana)
    decide = reverse("admin:accounts_approvalrequest_decide", args=[asked.pk])
    token = one_time_tokens.issue(cast.erin, f"approval.decide:{asked.pk}")
    assert "Say whether" in erin.post(decide, {"token": token}, follow=True).text
    assert "The form is stale" in erin.post(decide, {"decision": "approve"}, follow=True).text
    ApprovalRequest.objects.filter(pk=asked.pk).update(state="expired", decided_at=asked.requested_at)
    response = erin.post(decide, {"decision": "approve", "token": token}, follow=True)
    assert response.status_code == 200
    assert "already expired" in response.text
    assert not LedgerEntry.objects.exists()
    missing = reverse("admin:accounts_approvalrequest_decide", args=[10**18])
    assert erin.post(missing, {"decision": "approve", "token": token}, follow=True).status_code == 404


def test_an_approved_act_that_can_no_longer_be_done_stays_pending(cast: Cast, dana: Client, erin: Client) -> None:
    dana.post(reverse(RECORD), previewed(dana, RECORD, transfer_form(cast.prepaid)))
    big = transfer_form(cast.prepaid, amount_minor="20000")
    dana.post(reverse(RECORD), previewed(dana, RECORD, big))
    asked = ApprovalRequest.objects.get()
    page = reverse("admin:accounts_approvalrequest_change", args=[asked.pk])
    decide = reverse("admin:accounts_approvalrequest_decide", args=[asked.pk])
    before = written()
    answer = {"decision": "approve", "token": _token(erin.get(page))}
    assert "reference_used" in erin.post(decide, answer, follow=True).text
    asked.refresh_from_db()
    assert asked.state == "pending"
    assert written() == before


def test_a_transaction_is_corrected_once(cast: Cast, dana: Client) -> None:
    recorded = dana.post(reverse(RECORD), previewed(dana, RECORD, transfer_form(cast.prepaid)))
    original = LedgerTransaction.objects.get()
    page = "admin:ledger_ledgertransaction_correct"
    assert reverse(page, args=[original.pk]) in dana.get(recorded.url).text
    preview = dana.post(reverse(page, args=[original.pk]), {"reason": "wrong customer"})
    assert "transfer:STMT-7" in preview.text
    assert "−50.00 USD" in preview.text
    twin = previewed(dana, page, {"reason": "wrong customer"}, original.pk)
    assert dana.post(reverse(page, args=[original.pk]), sent(preview)).status_code == 302
    assert balance(cast.prepaid).amount_minor == 0
    assert "Reversed by" in dana.get(recorded.url).text
    before = written()
    again = dana.post(reverse(page, args=[original.pk]), twin)
    assert again.status_code == 409
    assert "already_posted" in again.text
    assert written() == before


def test_what_does_not_exist_is_not_found(cast: Cast, dana: Client) -> None:
    for key in (99, 2**63 - 1, 2**63, 10**30):
        assert dana.get(f"/admin/ledger/ledgertransaction/{key}/change/").status_code in (302, 404)
        response = dana.post(f"/admin/ledger/ledgertransaction/{key}/correct/", {"reason": "no such thing"})
        assert response.status_code == 404


def test_a_rate_is_set_once_and_never_for_what_is_billed(cast: Cast, dana: Client) -> None:
    page = "admin:quotas_skurate_set"
    form = {"sku": "gpu", "currency": "USD", "rate_per_unit_hour": "3.10", "effective_from": "2030-01-01T00:00:00Z"}
    preview = dana.post(reverse(page), form)
    assert "2.50 USD per GPU and hour" in preview.text
    assert "3.10 USD per GPU and hour" in preview.text
    twin = previewed(dana, page, form)
    assert dana.post(reverse(page), sent(preview)).status_code == 302
    before = written()
    assert "rate_exists" in dana.post(reverse(page), twin).text
    for field, value, code in (
        ("rate_per_unit_hour", "1.12345678901234567890", "rate_invalid"),
        ("rate_per_unit_hour", "1e3", "rate_invalid"),
        ("rate_per_unit_hour", "-1", "rate_invalid"),
        ("currency", "XXX", "currency_unknown"),
        ("effective_from", "10000-01-01T00:00:00Z", "time_invalid"),
        ("effective_from", "2030-01-01T00:00:00", "time_invalid"),
        ("sku", "nothing", "not_found"),
    ):
        response = dana.post(reverse(page), form | {field: value})
        assert response.status_code == 422
        assert code in " ".join(_errors_of(response, field)), (field, value)
    assert written() == before


def _ask(cast: Cast, client: Client) -> ApprovalRequest:
    form = adjust_form(cast.prepaid, amount_minor="50000")
    client.post(reverse(ADJUST), previewed(client, ADJUST, form))
    return ApprovalRequest.objects.get()


def _token(response: HttpResponse) -> str:
    found = re.search(r'name="token" value="([^"]+)"', response.text)
    assert found, "no decision is offered"
    return unescape(found[1])


def _errors_of(response: Any, field: str) -> list[str]:
    return [str(error) for error in response.context["form"].errors.get(field, [])]
