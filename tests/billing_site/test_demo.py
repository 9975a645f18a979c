"""The demo: laid once, by real acts, with clean books and every state it promises."""

import pytest
from django.core.management import CommandError

from accounts.models import ApprovalRequest, BillingAccount, User
from billing_site.demo.people import PASSWORD, STAFF
from ledger.balances import balance
from ledger.models import (
    AccrualSchedule,
    ForceRelease,
    LedgerEntry,
    LedgerTransaction,
    UsageRecord,
    VerificationRun,
)
from tests.databases import lay_demo


def test_the_demo_is_laid_once_and_its_books_are_clean(committed_db: str, demo: str) -> None:
    entries = LedgerEntry.objects.count()
    assert entries
    assert all(login.email in demo for login in STAFF)
    assert "/admin/" in demo
    assert lay_demo() == demo
    assert LedgerEntry.objects.count() == entries
    assert VerificationRun.objects.get().violation_count == 0


def test_the_demo_shows_an_account_in_every_state_it_names(demo: str) -> None:
    parked = AccrualSchedule.objects.exclude(parked_at=None).get()
    assert parked.billing_account.name == "Grove Media"
    assert ApprovalRequest.objects.filter(state="pending").count() == 2
    dune, cinder = (BillingAccount.objects.get(name=name) for name in ("Dune Weather", "Cinder Studio"))
    assert balance(dune).amount_minor < 0
    assert (dune.balance_state.state, cinder.balance_state.state) == ("depleted", "low_balance")
    assert ForceRelease.objects.get().allocation.status == "releasing"
    assert not UsageRecord.objects.filter(waived_minor__gt=0).exists()
    assert BillingAccount.objects.filter(name__startswith="Borealis").count() == 2
    assert not BillingAccount.objects.exclude(test_now=None).exists()
    kinds = set(LedgerTransaction.objects.values_list("kind", flat=True))
    assert kinds == {"usage", "transfer", "adjustment", "correction", "grant"}


def test_the_printed_logins_work(demo: str) -> None:
    assert all(User.objects.get(email=login.email).check_password(PASSWORD) for login in STAFF)


def test_the_demo_refuses_a_site_that_is_not_embedded(committed_db: str, settings: pytest.FixtureRequest) -> None:
    settings.ENVIRONMENT = "sandbox"  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="embedded"):
        lay_demo()
    assert not User.objects.filter(email=STAFF[0].email).exists()
