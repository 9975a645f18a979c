"""Seed 000, row 08: one billing account an organization, more where staff granted the feature."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import features
from accounts.account_phases import archive
from accounts.account_quota import AccountQuotaReached
from accounts.errors import DomainError
from accounts.lifecycle import open_billing_account, open_organization
from accounts.models import BillingAccount, Feature, Organization
from accounts.policy import set_value
from tests.cast import ACTOR, NOON, Cast
from tests.concurrency.racing import failures, race, successes
from tests.row_counts import row_counts
from tests.scenarios.acting import act

KEY = "accounts.billing_accounts_per_organization"


def another(organization: Organization, cast: Cast, name: str = "Another") -> BillingAccount:
    return open_billing_account(
        organization, cast.entity, name, currency="USD", settlement="prepaid", actor=ACTOR, at=NOON
    )


def test_000_08_a_second_account_is_refused_unless_the_feature_is_granted(cast: Cast) -> None:
    dana = Client()
    dana.force_login(cast.dana)
    page = reverse("admin:accounts_organization_account", args=[cast.strangers.pk])
    form = {"name": "Second", "currency": "USD", "settlement": "prepaid", "reason": "they asked"}
    form["legal_entity"] = cast.entity.public_id

    before = row_counts()
    refused = act(dana, page, form)
    assert refused.status_code == 403
    assert "The organization has 1 of 1 billing accounts (billing_accounts_quota)" in refused.text
    assert row_counts() == before

    granted = {"feature": "multi-billing-accounts", "reason": "a second department"}
    act(dana, reverse("admin:accounts_organization_grantfeature", args=[cast.strangers.pk]), granted)
    assert "Second is open." in act(dana, page, form).text
    organization = dana.get(reverse("admin:accounts_organization_change", args=[cast.strangers.pk])).text
    assert "2 of 100 open, by the feature multi-billing-accounts" in organization

    # Taken back: what is open stays, and nothing more is opened.
    act(dana, reverse("admin:accounts_organization_revokefeature", args=[cast.strangers.pk]), granted)
    assert cast.strangers.billing_accounts.count() == 2
    assert act(dana, page, form).status_code == 403


def test_the_hundred_and_first_account_is_refused(cast: Cast) -> None:
    features.grant(cast.strangers.pk, Feature.MULTI_BILLING_ACCOUNTS, actor=ACTOR, reason="a department each", at=NOON)
    for number in range(2, 101):
        another(cast.strangers, cast, f"Account {number}")
    with pytest.raises(AccountQuotaReached, match="has 100 of 100"):
        another(cast.strangers, cast)


def test_the_policy_says_how_many_and_an_archived_account_makes_room(cast: Cast) -> None:
    where = {"scope": "tenant", "scope_id": cast.strangers.pk}
    set_value(KEY, 2, **where, actor=ACTOR, reason="two departments", at=NOON)
    second = another(cast.strangers, cast)
    with pytest.raises(AccountQuotaReached):
        another(cast.strangers, cast)
    archive(second.pk, actor=ACTOR, reason="closed", at=NOON)
    another(cast.strangers, cast)
    set_value(KEY, 0, **where, actor=ACTOR, reason="no more", at=NOON)
    with pytest.raises(AccountQuotaReached, match="has 2 of 0"):
        another(cast.strangers, cast)


def test_of_accounts_opened_at_one_moment_only_so_many_come_through(committed_db: str, cast: Cast) -> None:
    organization = open_organization("Nova", "nova", owner=cast.bob, at=NOON)
    results = race(*[lambda: another(organization, cast)] * 6)
    assert len(successes(results)) == 1, results
    assert {fault.code for fault in failures(results) if isinstance(fault, DomainError)} == {"billing_accounts_quota"}
    assert all(isinstance(fault, DomainError) for fault in failures(results))
    assert organization.billing_accounts.count() == 1
