"""One key, twenty at once: the act is done once, and nobody is told anything else."""

from typing import Any

from accounts.models import IdempotencyRecord
from ledger.balances import balance
from ledger.models import LedgerTransaction
from tests.accounts.api.callers import client_of, staff
from tests.cast import Cast
from tests.concurrency.racing import race, successes


def test_a_key_sent_twenty_times_at_once_acts_once(committed_db: str, cast: Cast) -> None:
    address = f"/api/v1/billing-accounts/{cast.prepaid.public_id}/adjustments"
    body = {"amount_minor": 500, "currency": "USD", "reason": "goodwill"}

    def send() -> Any:
        answer = client_of(staff(cast.dana)).post(address, body, format="json", headers={"Idempotency-Key": "once"})
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_key_in_flight"
            assert answer.headers["Retry-After"] == "1"
            return None
        return answer.json()["transaction"]

    results = successes(race(*[send] * 20))
    assert len(results) == 20
    assert len({result for result in results if result}) == 1
    assert balance(cast.prepaid).amount_minor == 500
    assert LedgerTransaction.objects.count() == IdempotencyRecord.objects.count() == 1
