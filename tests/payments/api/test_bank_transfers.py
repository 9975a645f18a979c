"""A bank transfer recorded over HTTP."""

from typing import Any

from ledger.balances import balance
from tests.accounts.api.callers import client_of, member, staff
from tests.cast import Cast


def transfer(cast: Cast, **others: Any) -> dict[str, Any]:
    return {
        "billing_account": cast.prepaid.public_id,
        "amount_minor": 5000,
        "currency": "USD",
        "value_date": "2026-03-09",
        "reference": "STMT-1",
        "reason": "March statement",
        **others,
    }


def test_a_transfer_is_recorded_read_and_refused_twice(cast: Cast) -> None:
    dana = client_of(staff(cast.dana))
    recorded = dana.post("/api/v1/bank-transfers", transfer(cast), format="json", headers={"Idempotency-Key": "STMT-1"})
    assert recorded.status_code == 201
    body = recorded.json()
    assert (body["amount_minor"], body["currency"], body["value_date"]) == (5000, "USD", "2026-03-09")
    assert balance(cast.prepaid).amount_minor == 5000
    alice = client_of(member(cast.alice, cast.acme, "org-admin"))
    assert alice.get(f"/api/v1/bank-transfers/{body['id']}").json() == body
    assert alice.get("/api/v1/bank-transfers").json()["data"] == [body]
    charlie = client_of(member(cast.charlie, cast.strangers, "org-admin"))
    assert charlie.get(f"/api/v1/bank-transfers/{body['id']}").status_code == 404
    twice = dana.post("/api/v1/bank-transfers", transfer(cast), format="json", headers={"Idempotency-Key": "other"})
    assert (twice.status_code, twice.json()["code"]) == (409, "reference_used")
    for wrong, code in (
        ({"value_date": "9 March"}, "time_invalid"),
        ({"value_date": "20260309"}, "time_invalid"),
        ({"amount_minor": -5}, "min_value"),
        ({"currency": "EUR"}, "currency_mismatch"),
        ({"billing_account": "ba_00000000zzzzz"}, "not_found"),
    ):
        refused = dana.post(
            "/api/v1/bank-transfers",
            transfer(cast, reference="STMT-2", **wrong),
            format="json",
            headers={"Idempotency-Key": "w"},
        )
        assert refused.json()["code"] == code, wrong
    assert balance(cast.prepaid).amount_minor == 5000
