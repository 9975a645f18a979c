"""Balances, entries and usage records over HTTP, and what staff do to an account's money."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import ApprovalRequest, IdempotencyRecord
from ledger import accrual
from ledger.balances import balance
from ledger.models import LedgerEntry, LedgerTransaction
from quotas.allocations import start
from tests.accounts.api.callers import client_of, member, staff
from tests.cast import ACTOR, NOON, Cast
from tests.funding import fund


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    return client_of(member(cast.alice, cast.acme, "org-admin"))


@pytest.fixture
def dana(cast: Cast) -> APIClient:
    return client_of(staff(cast.dana))


def of(cast: Cast, what: str) -> str:
    return f"/api/v1/billing-accounts/{cast.prepaid.public_id}/{what}"


def adjustment(amount_minor: Any = 500, **others: Any) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "USD", "reason": "goodwill", **others}


def test_balances_are_read_one_by_one_and_page_by_page(
    alice: APIClient, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    fund(cast.prepaid, 5000)
    one = alice.get(of(cast, "balance")).json()
    assert (one["amount_minor"], one["currency"], one["state"], one["kinds"]) == (
        5000,
        "USD",
        "healthy",
        {"wallet": 5000},
    )
    with django_assert_max_num_queries(8):
        rows = alice.get("/api/v1/balances").json()["data"]
    assert [(row["billing_account"], row["amount_minor"], row["state"]) for row in rows] == [
        (cast.postpaid.public_id, 0, None),
        (cast.prepaid.public_id, 5000, "healthy"),
    ]


def test_entries_are_paged_with_the_balance_each_left(
    alice: APIClient, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for amount in (100, 200, 300):
        fund(cast.prepaid, amount)
    with django_assert_max_num_queries(8):
        first = alice.get(of(cast, "entries"), {"limit": "2"}).json()
    assert [(row["amount_minor"], row["balance_after_minor"]) for row in first["data"]] == [(300, 600), (200, 300)]
    second = alice.get(of(cast, "entries"), {"limit": "2", "cursor": first["next_cursor"]}).json()
    assert [row["amount_minor"] for row in second["data"]] == [100]
    assert second["next_cursor"] is None
    assert alice.get(f"/api/v1/ledger-entries/{first['data'][0]['id']}").json() == first["data"][0]
    other_side = LedgerEntry.objects.filter(account_seq=None).latest("pk")
    assert alice.get(f"/api/v1/ledger-entries/{other_side.public_id}").status_code == 404
    assert alice.get(of(cast, "entries"), {"reason": "usage"}).json()["data"] == []
    assert alice.get(of(cast, "entries"), {"cursor": "x"}).json()["errors"][0]["parameter"] == "cursor"
    assert alice.get(of(cast, "entries"), {"after": "soon"}).json()["code"] == "time_invalid"


def test_usage_records_say_quantity_rate_and_cost(alice: APIClient, cast: Cast) -> None:
    fund(cast.prepaid, 100_000)
    allocation = start(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=NOON)
    accrual.drain(NOON + timedelta(minutes=5))
    address = f"/api/v1/allocations/{allocation.public_id}/usage-records"
    first = alice.get(address, {"limit": "3"}).json()
    assert [row["interval_start"] for row in first["data"]] == [f"2026-03-10T12:0{minute}:00Z" for minute in (4, 3, 2)]
    row = first["data"][0]
    assert (row["quantity"], row["rate_per_unit_hour"], row["currency"]) == ("2", "2.5", "USD")
    second = alice.get(address, {"limit": "3", "cursor": first["next_cursor"]}).json()
    assert [row["interval_start"] for row in second["data"]] == [f"2026-03-10T12:0{minute}:00Z" for minute in (1, 0)]
    assert sum(row["cost_minor"] for page in (first, second) for row in page["data"]) == 42  # 500 an hour


def test_money_moves_once_and_only_with_a_key(dana: APIClient, cast: Cast) -> None:
    missing = dana.post(of(cast, "adjustments"), adjustment(), format="json")
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_required")
    key = {"Idempotency-Key": "goodwill-1"}
    answers = [dana.post(of(cast, "adjustments"), adjustment(), format="json", headers=key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["transaction"] for answer in answers}) == 1
    assert balance(cast.prepaid).amount_minor == 500
    transaction = answers[0].json()["transaction"]
    undone = dana.post(
        f"/api/v1/ledger-transactions/{transaction}/correction",
        {"reason": "a mistake"},
        format="json",
        headers={"Idempotency-Key": "undo-1"},
    )
    assert undone.status_code == 201
    assert balance(cast.prepaid).amount_minor == 0


def test_above_the_limit_it_waits_for_a_second_person(dana: APIClient, cast: Cast) -> None:
    key = {"Idempotency-Key": "large-1"}
    waiting = dana.post(of(cast, "credits"), adjustment(10_000_000), format="json", headers=key)
    assert waiting.status_code == 202
    assert waiting.json()["approval"]["state"] == "pending"
    again = dana.post(of(cast, "credits"), adjustment(10_000_000), format="json", headers=key)
    assert again.json() == waiting.json()
    assert ApprovalRequest.objects.count() == 1
    assert balance(cast.prepaid).amount_minor == 0


@pytest.mark.parametrize(
    "amount",
    [0, 10**15 + 1, -(10**15) - 1, 1.5, 1e3, "500", "1_000", "１２", True, None, [], {}, 10**40],
)
def test_an_amount_that_is_none_is_refused(dana: APIClient, cast: Cast, amount: Any) -> None:
    refused = dana.post(of(cast, "adjustments"), adjustment(amount), format="json", headers={"Idempotency-Key": "bad"})
    assert refused.status_code == 422 or amount == 10**40
    assert refused.json()["code"] in ("amount_invalid", "field_null", "body_unreadable")
    assert not LedgerTransaction.objects.exists()
    assert not IdempotencyRecord.objects.exists()


def test_customers_neither_credit_themselves_nor_see_others(alice: APIClient, cast: Cast) -> None:
    key = {"Idempotency-Key": "mine"}
    for what in ("credits", "adjustments"):
        assert alice.post(of(cast, what), adjustment(), format="json", headers=key).status_code == 403
    foreign = f"/api/v1/billing-accounts/{cast.foreign.public_id}"
    unknown = "/api/v1/billing-accounts/ba_zzzzzzzzzzzzz"
    for what in ("balance", "entries"):
        answers = [alice.get(f"{address}/{what}").json() | {"request_id": ""} for address in (foreign, unknown)]
        assert answers[0] == answers[1]
        assert answers[0]["status"] == 404
    bob = client_of(member(cast.bob, cast.acme, "project-user", cast.project))
    assert bob.get(of(cast, "balance")).status_code == 403
