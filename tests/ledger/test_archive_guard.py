"""Archived means settled: nothing stands on the account, nothing is still to be posted, and nothing is posted after."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts import outbox_relay
from accounts.account_phases import archive, suspend
from accounts.approvals import decide, submit
from accounts.audit import person
from accounts.bindings import rebind
from accounts.errors import AccountNotReady, Guarded
from accounts.models import ApprovalRequest, BillingAccount, OutboxDelivery
from ledger import accrual, adjustments, corrections
from ledger.archive_guard import nothing_is_owed
from ledger.balances import balance
from ledger.models import LedgerEntry, LedgerTransaction
from ledger.posting import Act, Line, post
from ledger.top_ups import post_top_up, post_transfer
from quotas.allocations import complete_release, start
from tests.cast import ACTOR, NOON, Cast

MINUTE = timedelta(minutes=1)
LATER = NOON + 10 * MINUTE


def codes(account: BillingAccount) -> list[str]:
    return nothing_is_owed(account=account, at=LATER)


def adjust(cast: Cast, account: BillingAccount, amount_minor: int) -> dict[str, Any]:
    proposal = adjustments.payload(account, amount_minor, "USD")
    return adjustments.adjust(proposal, actor=person(cast.dana), reason="to zero", at=LATER)


def close(cast: Cast, account: BillingAccount) -> BillingAccount:
    return archive(account.pk, actor=person(cast.dana), reason="closed", at=LATER)


@pytest.mark.parametrize("kind", ["wallet", "unbilled", "receivable", "held"])
@pytest.mark.parametrize("amount_minor", [1, -1])
def test_any_customer_kind_that_is_not_zero_holds_the_account_open(cast: Cast, kind: str, amount_minor: int) -> None:
    assert codes(cast.postpaid) == []
    lines = [Line(kind, amount_minor, "adjustment"), Line("allowances", -amount_minor, "adjustment")]
    act = Act("test:1", "adjustment", lines, ("test", 1), wallet_floor=False)
    post(cast.postpaid, act, actor=ACTOR, at=NOON)
    assert codes(cast.postpaid) == ["has_balance"]
    assert codes(cast.prepaid) == []


def test_kinds_that_cancel_out_are_still_a_balance(cast: Cast) -> None:
    lines = [Line("wallet", 500, "transfer"), Line("receivable", -500, "transfer")]
    post(cast.postpaid, Act("test:1", "adjustment", lines, ("test", 1)), actor=ACTOR, at=NOON)
    assert balance(cast.postpaid).amount_minor == 0
    assert codes(cast.postpaid) == ["has_balance"]


def test_the_act_names_all_that_is_in_the_way(cast: Cast) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(LATER)
    with pytest.raises(Guarded) as refused:
        close(cast, cast.prepaid)
    assert refused.value.code == "has_running_allocations"
    assert "the balance is not zero" in refused.value.detail


def test_usage_that_ended_is_billed_first(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    assert codes(cast.prepaid) == []  # that it runs is said by quotas
    complete_release(allocation.pk, completed_at=NOON + 1.5 * MINUTE, actor=ACTOR, at=NOON + 2 * MINUTE)
    assert codes(cast.prepaid) == ["has_unsettled_usage"]
    accrual.drain(LATER)
    assert codes(cast.prepaid) == ["has_balance"]
    adjust(cast, cast.prepaid, -balance(cast.prepaid).amount_minor)
    assert codes(cast.prepaid) == []
    assert close(cast, cast.prepaid).phase == "Archived"


def test_usage_before_a_move_is_billed_first(cast: Cast) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    rebind(cast.project, cast.postpaid, actor=ACTOR, at=NOON + MINUTE)
    assert codes(cast.prepaid) == ["has_unsettled_usage"]
    assert codes(cast.postpaid) == []
    accrual.drain(LATER)
    assert codes(cast.prepaid) == ["has_balance"]


def test_a_credit_that_is_on_its_way_arrives_first(cast: Cast) -> None:
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(LATER)
    complete_release(allocation.pk, completed_at=NOON, actor=ACTOR, at=LATER)
    accrual.drain(LATER + MINUTE)
    assert codes(cast.prepaid) == ["has_balance", "has_unsettled_usage"]
    assert codes(cast.foreign) == []
    late = OutboxDelivery.objects.filter(message__topic="quotas.release_reported_late")
    late.update(state="dead")  # given up is not delivered: a person replays it
    assert "has_unsettled_usage" in codes(cast.prepaid)
    late.update(state="pending")
    outbox_relay.drain(LATER + MINUTE)
    assert codes(cast.prepaid) == []
    assert close(cast, cast.prepaid).phase == "Archived"


def _transfer(cast: Cast, account: BillingAccount) -> object:
    return post_transfer(account, amount_minor=500, bank_reference="REF 9", actor=ACTOR, at=LATER)


def _top_up(cast: Cast, account: BillingAccount) -> object:
    return post_top_up(account, amount_minor=500, provider="manual", session_id=9, actor=ACTOR, at=LATER)


def _adjust(cast: Cast, account: BillingAccount) -> object:
    return adjust(cast, account, 500)


def _correct(cast: Cast, account: BillingAccount) -> object:
    original = LedgerTransaction.objects.filter(entries__billing_account=account).distinct().earliest("pk")
    proposal = corrections.payload(original)
    return corrections.correct(proposal, actor=person(cast.dana), reason="wrong", at=LATER)


@pytest.mark.parametrize("act", [_transfer, _top_up, _adjust, _correct])
@pytest.mark.parametrize("settlement", ["prepaid", "postpaid"])
def test_money_is_posted_to_a_suspended_account_and_never_to_an_archived_one(
    cast: Cast, act: Callable[..., object], settlement: str
) -> None:
    account = getattr(cast, settlement)
    adjust(cast, account, 700)
    adjust(cast, account, -700)
    suspended = suspend(cast.foreign.pk, actor=person(cast.dana), reason="unpaid", at=NOON)
    adjust(cast, suspended, 1)
    act(cast, suspended)
    archived = close(cast, account)
    before = LedgerEntry.objects.count(), LedgerTransaction.objects.count()
    with pytest.raises(AccountNotReady) as refused:
        act(cast, archived)
    assert (refused.value.code, refused.value.status) == ("account_not_ready", 409)
    assert refused.value.field == "billing_account"
    assert (LedgerEntry.objects.count(), LedgerTransaction.objects.count()) == before


def test_an_approval_for_an_account_archived_meanwhile_does_nothing(cast: Cast) -> None:
    proposal = adjustments.payload(cast.prepaid, 50_000, "USD")
    asked = submit(adjustments.ACT, proposal, maker=cast.dana, reason="goodwill", at=NOON).request
    assert asked is not None
    close(cast, cast.prepaid)
    with pytest.raises(AccountNotReady):
        decide(asked.pk, checker=cast.erin, approve=True, note="", at=LATER)
    assert ApprovalRequest.objects.get().state == "pending"
    assert not LedgerEntry.objects.exists()
