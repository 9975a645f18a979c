"""Seed 000, row 07: staff suspend, reactivate and archive a billing account, through the pages they use."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts import enforcement, outbox_relay
from accounts.audit import person
from accounts.bindings import bind
from accounts.clock import now
from accounts.errors import AccountNotReady
from accounts.lifecycle import open_project
from accounts.models import AuditLog, BillingAccount, Condition, OutboxMessage
from ledger import accrual, adjustments
from ledger.balances import balance
from ledger.verification import verify
from quotas.allocations import complete_release, start
from quotas.models import Allocation
from tests.cast import ACTOR, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.row_counts import row_counts

MINUTE = timedelta(minutes=1)


def act(client: Client, word: str, account: BillingAccount, reason: str) -> str:
    """The page of an act: form, preview, button. Returns what is shown at the end."""
    page = reverse(f"admin:accounts_billingaccount_{word}", args=[account.pk])
    preview = client.post(page, {"reason": reason})
    if preview.status_code != 200:
        return preview.text
    values = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', preview.text))
    return client.post(page, {name: unescape(value) for name, value in values.items()}, follow=True).text


def phase(account: BillingAccount) -> str:
    return BillingAccount.objects.get(pk=account.pk).phase


def test_000_07_suspend_reactivate_archive(committed_db: str, cast: Cast) -> None:
    """The story of one account, from the first unpaid month to its end."""
    dana = Client()
    dana.force_login(cast.dana)
    account, hour_ago = cast.prepaid, now() - 60 * MINUTE
    running = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=hour_ago)

    # Suspended: what runs is billed on, nothing new starts, no project comes.
    assert "Suspended" in act(dana, "suspend", account, "unpaid since May")
    assert phase(account) == "Suspended"
    row = AuditLog.objects.get(action="billing_account.suspend")
    assert (row.actor, row.reason, row.before, row.after) == (
        cast.dana,
        "unpaid since May",
        {"phase": "Ready"},
        {"phase": "Suspended"},
    )
    ready = Condition.objects.get(billing_account=account, type="Ready")
    assert (ready.status, ready.reason) == ("False", "BillingAccountNotReady")
    assert enforcement.level(account.pk) in ("restricted", "halted")  # halted where its wallet is empty as well
    with pytest.raises(AccountNotReady):
        start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=now())
    with pytest.raises(AccountNotReady):
        bind(open_project(cast.acme, "New", "new", at=now()), account, actor=ACTOR, at=now())
    assert accrual.drain(now(), only=[account.pk]).windows > 0

    # Ready again, as if nothing had been.
    assert "Ready" in act(dana, "reactivate", account, "paid")
    assert phase(account) == "Ready"
    ready.refresh_from_db()
    assert (ready.status, ready.reason) == ("True", "BillingAccountReady")
    assert not account.enforcement_reasons.filter(source="phase", closed_at=None).exists()

    # Archived only when nothing runs and nothing is owed, and each of these is said.
    before = row_counts()
    refused = act(dana, "archive", account, "the customer left")
    assert "Allocations are still running; the balance is not zero (has_running_allocations)" in refused
    complete_release(running.pk, completed_at=now(), actor=ACTOR, at=now())
    accrual.drain(now() + 2 * MINUTE, only=[account.pk])
    assert "(has_balance)" in act(dana, "archive", account, "the customer left")
    assert phase(account) == "Ready"
    owed = balance(account).amount_minor
    assert owed < 0
    proposal = adjustments.payload(account, -owed, "USD")
    adjustments.adjust(proposal, actor=person(cast.dana), reason="written off", at=now())
    assert "Archived" in act(dana, "archive", account, "the customer left")
    assert row_counts()["used_form_tokens"] == before["used_form_tokens"] + 1

    # And that is for ever: no act, no page, no SQL of the site's own role brings it back.
    for word in ("suspend", "reactivate", "archive"):
        assert "(wrong_phase)" in act(dana, word, account, "please")
    for back in ("Ready", "Suspended", "Provisioning"):
        with refused_by("billing_account_terms_are_fixed"):
            execute("UPDATE billing_accounts SET phase = %s WHERE id = %s", [back, account.pk])
    with pytest.raises(AccountNotReady):
        adjustments.adjust(proposal, actor=person(cast.dana), reason="too late", at=now())
    assert enforcement.level(account.pk) == "halted"
    assert Allocation.objects.count() == 1

    topics = OutboxMessage.objects.filter(topic__startswith="accounts.account_").order_by("seq")
    assert list(topics.values_list("topic", flat=True)) == [
        "accounts.account_suspended",
        "accounts.account_reactivated",
        "accounts.account_archived",
    ]
    outbox_relay.drain(now() + MINUTE)
    assert verify(now(), full=True).violations == []
