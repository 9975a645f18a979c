"""004-34: a platform that speaks seed 004 starts a machine, is asked to release it, and says when it was gone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts import clock, event_feed
from accounts.abilities import CONFIRM_RELEASES, READ_EVENTS, READ_PROJECTS, USE_PROJECTS
from accounts.api.fields import rfc3339
from ledger import accrual
from ledger.balances import balance
from ledger.models import UsageRecord
from quotas.models import Allocation
from tests.cast import NOON, Cast
from tests.funding import fund
from tests.prepaid_scene import MINUTE, RELEASE, assert_books_are_clean, no_advisories, tick_each_minute
from tests.quotas.api.callers import platform


def test_004_34_a_balance_runs_dry_and_the_platform_confirms_the_release(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    key = platform(USE_PROJECTS, READ_PROJECTS, READ_EVENTS, CONFIRM_RELEASES)
    wanted = {"project": cast.project.public_id, "sku": "gpu", "quantity": "12", "external_id": "vm-7"}
    no_advisories()
    fund(cast.prepaid, 100, at=NOON)
    at(NOON)
    started = key.post("/allocations", wanted, format="json")
    assert started.status_code == 201, started.json()
    one = started.json()["id"]

    dry_at = tick_each_minute(NOON, 3)
    event_feed.number_committed()
    at(dry_at)
    (asked,) = _asked(key)
    assert (asked["payload"]["allocation"], asked["payload"]["external_id"]) == (one, "vm-7")
    assert key.get(f"/allocations/{one}").json()["status"] == "releasing"
    refused = key.post("/allocations", {**wanted, "external_id": "vm-8"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "account_halted")
    assert sorted(refused.json()) == ["code", "message"]

    gone_at = dry_at + timedelta(seconds=30)
    at(gone_at + 2 * MINUTE)
    done = key.post(f"/allocations/{one}/releasing.completed", {"completed_at": rfc3339(gone_at)}, format="json")
    assert (done.status_code, done.json()["status"]) == (200, "released")
    accrual.drain(gone_at + 10 * MINUTE)
    assert UsageRecord.objects.latest("interval_end").interval_end == gone_at
    assert Allocation.objects.get().completed_at == gone_at
    assert balance(cast.prepaid).amount_minor == 100 - 175
    again = key.post(f"/allocations/{one}/releasing.completed", {"completed_at": rfc3339(gone_at)}, format="json")
    assert again.json() == done.json()
    assert _asked(key)[0]["payload"] == asked["payload"]
    assert_books_are_clean()


def _asked(key: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = key.get("/api/v1/events", {"topic": RELEASE}).json()["data"]
    return found
