"""The shape of the tables: whose each row is, and how money and time are kept."""

from fnmatch import fnmatch
from io import StringIO

import pytest
from django.core.management import call_command

from billing_site.grants import tables
from tests.ledger.raw_sql import fetch

# Tables that carry neither their organization nor their billing account, and why.
EXEMPT = {
    "organizations": "is the tenant",
    "accounts_historicalorganization": "is the tenant, as it was",
    "users": "a person may belong to many organizations",
    "accounts_historicaluser": "as users",
    "users_groups": "staff groups of a person",
    "users_user_permissions": "permissions of a person",
    "idempotency_records": "belongs to the caller who sent the key",
    "trusted_issuers": "signs tokens for many organizations",
    "external_identities": "as users",
    "used_form_tokens": "belongs to the person who pressed the button",
    "saved_filters": "belongs to the person who saved it",
    "legal_entities": "is one of our own companies",
    "accounts_historicallegalentity": "as legal_entities",
    "policy_values": "names its subject by scope and scope_id, of which the organization is one",
    "accounts_historicalpolicyvalue": "as policy_values",
    "meters": "what is measured is the same for everyone",
    "quotas_historicalmeter": "as meters",
    "customer_segments": "a kind of customers, not one",
    "quotas_historicalcustomersegment": "as customer_segments",
    "offers": "the catalogue is the same for everyone",
    "quotas_historicaloffer": "as offers",
    "offer_prices": "as offers",
    "skus": "the catalogue is the same for everyone",
    "quotas_historicalsku": "as skus",
    "sku_rates": "the price book is the same for everyone",
    "catalog_*": "the catalog is the same for everyone",
    "ledger_transactions": "its entries carry the billing account",
    "accrual_cursors": "one to one with its allocation, which carries the organization",
    "daily_totals": "sums of one of our own companies over all customers",
    "daily_total_increments": "as daily_totals",
    "verification_runs": "proves the whole book",
    "billing_provider_switches": "the whole site has one provider in force",
    "cluster_cursors": "one row for each kind of object watched in the cluster",
    "doorbells": "one row for each task of the worker",
    "account_email*": "addresses of a person, as an issuer proved them",
    "mfa_authenticator": "second factors of a person",
    "socialaccount_*": "whom an issuer knows a person as; of issuers and tokens nothing is kept",
    "auth_*": "Django's own",
    "django_*": "Django's own",
    "djstripe_*": "the provider's mirror; nothing of ours reads it",
}
OWNERS = ("organization_id", "billing_account_id")
# Balances may only stand on rows that never change.
BALANCES = {
    ("ledger_entries", "balance_after"),
    ("audit_logs", "old_balance"),
    ("audit_logs", "new_balance"),
    ("balance_transitions", "balance_minor"),
    ("low_balance_events", "balance_minor"),
    ("depletions", "balance_minor"),
}


def columns() -> list[tuple[str, str, str]]:
    """(table, column, type) of everything that is ours."""
    found = fetch(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    )
    others = ("auth_*", "django_*", "djstripe_*")
    return [row for row in found if not any(fnmatch(row[0], pattern) for pattern in others)]


def exempt(table: str) -> bool:
    return any(fnmatch(table, pattern) for pattern in EXEMPT)


def carries_its_owner() -> set[str]:
    return {table for table, column, _ in columns() if column in OWNERS}


@pytest.mark.django_db
def test_every_table_carries_its_organization_or_billing_account() -> None:
    named = carries_its_owner()
    views = {"customer_ledger_entries"}
    assert [table for table in tables() if table not in named | views and not exempt(table)] == []


@pytest.mark.django_db
def test_no_exemption_is_stale() -> None:
    named = carries_its_owner()
    assert [table for table in EXEMPT if table in named] == []
    assert [pattern for pattern in EXEMPT if not any(fnmatch(table, pattern) for table in tables())] == []


@pytest.mark.django_db
def test_amounts_are_whole_minor_units() -> None:
    amounts = {(table, column): kind for table, column, kind in columns() if column.endswith("_minor")}
    assert ("ledger_entries", "amount_minor") in amounts
    assert {key: kind for key, kind in amounts.items() if kind != "bigint"} == {}


@pytest.mark.django_db
def test_every_amount_stands_beside_its_currency() -> None:
    having: dict[str, set[str]] = {}
    for table, column, _ in columns():
        having.setdefault(table, set()).add(column)
    bare = [table for table, names in having.items() if "amount_minor" in names and "currency" not in names]
    assert bare == []


@pytest.mark.django_db
def test_no_column_is_a_floating_number() -> None:
    assert [row for row in columns() if row[2] in {"real", "double precision", "money"}] == []


@pytest.mark.django_db
def test_every_moment_has_its_time_zone() -> None:
    assert [row for row in columns() if row[2] == "timestamp without time zone"] == []


@pytest.mark.django_db
def test_no_balance_stands_on_a_row_that_can_change() -> None:
    assert {(table, column) for table, column, _ in columns() if "balance" in column} == BALANCES


@pytest.mark.django_db
def test_the_models_and_the_migrations_agree() -> None:
    said = StringIO()
    rooms = ("accounts", "quotas", "ledger", "payments")
    call_command("makemigrations", *rooms, dry_run=True, stdout=said, stderr=said)
    assert "No changes detected" in said.getvalue()
