"""The trace with prepaid accounts: who runs dry is stopped, once, and an outage costs the customer nothing."""

from typing import Any

import pytest

from accounts.models import OutboxMessage
from ledger.models import Depletion, LowBalanceEpisode, UsageRecord
from ledger.verification import verify
from tests.billing_site.test_replay import TRACE, replay, with_trace
from tests.cast import NOON
from tests.ledger.raw_sql import fetch

PREPAID = {"settlement": "prepaid", "top_up": 100_000, "window_seconds": 3600}
LATE = {"tick_delay_seconds": 3 * 3600}
# Enough for many falls in a short time: less money, fewer rows, wider windows.
SOON = {**PREPAID, "top_up": 20_000, "limit": 350, "window_seconds": 4 * 3600}

AFTER_RELEASE = """
SELECT u.id FROM usage_records u JOIN allocations a ON a.id = u.allocation_id WHERE u.interval_end > a.released_at
"""
# Usage beyond the moment at which the allocation's release was asked for, which only the platform's delay explains.
UNASKED = """
SELECT u.id FROM usage_records u JOIN force_release_requests f ON f.allocation_id = u.allocation_id
WHERE u.interval_end > f.requested_at
"""


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=topic).count()


def holds_back_once(result: dict[str, Any]) -> None:
    """One warning an episode, one depletion a fall, one request an allocation; nothing billed once it is released."""
    assert told("billing.low_balance_warning") == LowBalanceEpisode.objects.count() == result["warnings"]
    assert told("billing.balance_depleted") == Depletion.objects.count() == result["depletions"]
    assert told("provisioning.force_release_requested") == result["forced"] > 0
    assert fetch(AFTER_RELEASE) == fetch(UNASKED) == []
    assert verify(NOON, full=True).violations == []


@pytest.mark.long
@with_trace
def test_a_prepaid_cluster_stops_what_is_not_paid_for(committed_db: str) -> None:
    result = replay(TRACE, **SOON)
    assert result["depleted"] == result["depletions"] > 5
    assert result["refused"] > 20
    assert result["waived_minor"] == 0
    assert result["released"] + result["refused"] + result["forced"] == result["allocations"]
    holds_back_once(result)


@pytest.mark.long
@with_trace
@pytest.mark.parametrize("tail", ["waive", "bill"])
def test_what_three_hours_of_outage_failed_to_stop_is_waived_or_billed(committed_db: str, tail: str) -> None:
    result = replay(TRACE, outage_tail=tail, **LATE, **SOON)
    holds_back_once(result)
    waived = UsageRecord.objects.filter(waived_minor__gt=0)
    assert waived.exists() == (result["waived_minor"] > 0) == (tail == "waive")
    late = Depletion.objects.filter(tail_from__isnull=False)
    assert late.exists() == (tail == "waive")


@pytest.mark.proof
@with_trace
@pytest.mark.parametrize("outage", [{}, LATE, {**LATE, "outage_tail": "bill"}], ids=["in time", "waived", "billed"])
def test_the_whole_trace_prepaid(committed_db: str, outage: dict[str, Any]) -> None:
    result = replay(TRACE, **outage, **PREPAID)
    print(f"\nprepaid, {outage or 'in time'}: {result}")
    assert 24 <= result["depleted"] <= 28
    assert 0.4 < result["refused"] / result["allocations"] < 0.6
    holds_back_once(result)
