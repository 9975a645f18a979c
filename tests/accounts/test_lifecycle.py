"""Opening organizations, projects and accounts, and the terms that never change afterwards."""

import pytest

from accounts.errors import Conflict, CurrencyUnknown, DomainError
from accounts.lifecycle import open_billing_account, open_organization, open_project
from accounts.models import AuditLog, BillingAccount, Condition, Membership, Organization, Phase, Project
from tests.cast import ACTOR, NOON, Cast
from tests.ledger.raw_sql import execute, refused_by
from tests.row_counts import row_counts


def test_whoever_opens_an_organization_administers_it(cast: Cast) -> None:
    organization = open_organization("Labs", "labs", owner=cast.bob, at=NOON)
    assert organization.created_at == NOON
    assert list(Membership.objects.filter(organization=organization).values_list("user", "role")) == [
        (cast.bob.pk, "org-admin")
    ]


def test_a_short_name_is_taken_once_and_nothing_is_left_of_the_second_try(cast: Cast) -> None:
    before = Organization.objects.count()
    with pytest.raises(Conflict) as refused:
        open_organization("Acme again", "acme", owner=cast.bob, at=NOON)
    assert (refused.value.code, refused.value.field, refused.value.status) == ("conflict", "slug", 409)
    assert Organization.objects.count() == before


def test_a_user_has_one_personal_organization(cast: Cast) -> None:
    open_organization("Bob", "bob", owner=cast.bob, personal=True, at=NOON)
    with pytest.raises(Conflict) as refused:
        open_organization("Bob", "bob-2", owner=cast.bob, personal=True, at=NOON)
    assert refused.value.code == "one_personal_organization"


@pytest.mark.parametrize("name", ["", " ", "x" * 257, "two\nlines", "nul\x00"])
def test_a_name_is_one_line_of_some_length(cast: Cast, name: str) -> None:
    before = row_counts()
    for act in (
        lambda: open_organization(name, "name", owner=cast.bob, at=NOON),
        lambda: open_project(cast.acme, name, "name", at=NOON),
        lambda: open_billing_account(
            cast.acme, cast.entity, name, currency="USD", settlement="prepaid", actor=ACTOR, at=NOON
        ),
    ):
        with pytest.raises(DomainError) as refused:
            act()
        assert (refused.value.code, refused.value.field) == ("name_invalid", "name")
    assert row_counts() == before


@pytest.mark.parametrize("slug", ["", "-a", "A", "a b", "ａ", "a" * 64, "a/b", "a\n"])
def test_a_short_name_fits_into_an_address(cast: Cast, slug: str) -> None:
    for act in (
        lambda: open_organization("Name", slug, owner=cast.bob, at=NOON),
        lambda: open_project(cast.acme, "Name", slug, at=NOON),
    ):
        with pytest.raises(DomainError) as refused:
            act()
        assert (refused.value.code, refused.value.field) == ("slug_invalid", "slug")


def test_two_organizations_may_use_one_project_name_and_one_may_not(cast: Cast) -> None:
    open_project(cast.strangers, "Training", "training", at=NOON)
    with pytest.raises(Conflict) as refused:
        open_project(cast.acme, "Training", "training", at=NOON)
    assert refused.value.field == "slug"
    assert Project.objects.filter(slug="training").count() == 2


@pytest.mark.parametrize("settlement", ["prepaid", "postpaid"])
def test_a_new_account_is_ready_and_audited(cast: Cast, settlement: str) -> None:
    account = open_billing_account(
        cast.acme, cast.entity, "Euros", currency="EUR", settlement=settlement, actor=ACTOR, at=NOON
    )
    assert (account.phase, account.currency, account.settlement) == (Phase.READY, "EUR", settlement)
    condition = Condition.objects.get(billing_account=account)
    assert (condition.type, condition.status, condition.reason) == ("Ready", "True", "BillingAccountReady")
    row = AuditLog.objects.get(action="billing_account.open", billing_account=account)
    assert (row.organization_id, row.at, row.actor_kind) == (cast.acme.pk, NOON, "test")


@pytest.mark.parametrize("currency", ["XXX", "usd", "", "US", "ΕUR", "BTC"])
def test_an_unknown_currency_is_refused(cast: Cast, currency: str) -> None:
    before = BillingAccount.objects.count()
    with pytest.raises(CurrencyUnknown) as refused:
        open_billing_account(
            cast.acme, cast.entity, "Odd", currency=currency, settlement="prepaid", actor=ACTOR, at=NOON
        )
    assert (refused.value.code, refused.value.field) == ("currency_unknown", "currency")
    assert BillingAccount.objects.count() == before


def test_an_unknown_settlement_is_refused(cast: Cast) -> None:
    with pytest.raises(DomainError) as refused:
        open_billing_account(cast.acme, cast.entity, "Odd", currency="USD", settlement="later", actor=ACTOR, at=NOON)
    assert (refused.value.code, refused.value.field) == ("settlement_unknown", "settlement")


@pytest.mark.parametrize(
    "change",
    [
        "currency = 'EUR'",
        "settlement = 'postpaid'",
        "legal_entity_id = (SELECT max(id) FROM legal_entities)",
        "organization_id = (SELECT max(id) FROM organizations)",
        "phase = 'Provisioning'",
    ],
)
def test_the_terms_of_an_active_account_are_fixed(cast: Cast, change: str) -> None:
    execute(
        "INSERT INTO legal_entities (name, country, base_currency, time_zone, created_at)"
        " VALUES ('Other GmbH', 'DE', 'EUR', 'Europe/Berlin', now())"
    )
    with refused_by("billing_account_terms_are_fixed"):
        execute(f"UPDATE billing_accounts SET {change} WHERE id = %s", [cast.prepaid.pk])


def test_an_account_that_is_still_provisioned_may_change_its_currency(cast: Cast) -> None:
    account = BillingAccount.objects.create(
        organization=cast.acme,
        legal_entity=cast.entity,
        name="Draft",
        currency="USD",
        settlement="prepaid",
        created_at=NOON,
    )
    assert account.phase == Phase.PROVISIONING
    account.currency = "EUR"
    account.save()
    account.phase = Phase.READY
    account.save()
    account.currency = "USD"
    with refused_by("billing_account_terms_are_fixed"):
        account.save()


def test_an_archived_account_stays_archived(cast: Cast) -> None:
    cast.prepaid.phase = Phase.ARCHIVED
    cast.prepaid.save()
    cast.prepaid.phase = Phase.READY
    with refused_by("billing_account_terms_are_fixed"):
        cast.prepaid.save()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("currency = 'dollar'", "22001"),
        ("currency = 'usd'", "billing_accounts_currency_shape"),
        ("settlement = 'later'", "billing_accounts_settlement_is_known"),
        ("phase = 'Gone'", "billing_accounts_phase_is_known"),
    ],
)
def test_words_the_product_does_not_know_are_refused(cast: Cast, change: str, rule: str) -> None:
    BillingAccount.objects.create(
        organization=cast.acme,
        legal_entity=cast.entity,
        name="Draft",
        currency="USD",
        settlement="prepaid",
        created_at=NOON,
    )
    with refused_by(rule):
        execute(f"UPDATE billing_accounts SET {change} WHERE name = 'Draft'")


def test_a_member_has_one_role_and_it_is_a_known_one(cast: Cast) -> None:
    with refused_by("one_role_per_member"):
        Membership.objects.create(organization=cast.acme, user=cast.bob, role="guest", created_at=NOON)
    with refused_by("memberships_role_is_known"):
        execute("UPDATE memberships SET role = 'king' WHERE user_id = %s", [cast.bob.pk])


def test_a_change_of_an_account_is_kept(cast: Cast) -> None:
    cast.prepaid.name = "Renamed"
    cast.prepaid.save()
    names = cast.prepaid.history.order_by("history_id").values_list("name", flat=True)
    assert list(names) == ["Acme prepaid", "Renamed"]
