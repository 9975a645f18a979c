"""What the application role may do is what billing_site/grants.py lists, no more and no less."""

from fnmatch import fnmatch

import pytest
from django.db import connection

from billing_site.database_rules import NEVER_CHANGED, expected_triggers, standing_triggers
from billing_site.grants import APPEND, COLUMNS, FUNCTIONS, TABLES, granted, missing_grants, tables
from billing_site.roles import application_role, as_owner
from tests.ledger.raw_sql import execute, fetch

# Patterns that await tables of a later month or of Django's own apps.
MAY_MATCH_NOTHING = {"usage_records_????_??"}


@pytest.mark.django_db
def test_the_database_grants_what_is_listed() -> None:
    assert missing_grants() == []


@pytest.mark.django_db
def test_every_line_of_the_list_stands_for_a_table() -> None:
    existing = tables()
    dead = {pattern for pattern, _ in TABLES if not any(fnmatch(table, pattern) for table in existing)}
    assert dead - MAY_MATCH_NOTHING == set()


@pytest.mark.django_db
def test_append_only_by_grant_is_append_only_by_trigger() -> None:
    by_grant = {table for table in tables() if granted(table) == APPEND or table in COLUMNS}
    partitions = {table for table in tables() if fnmatch(table, "usage_records_????_??")}
    by_trigger = {table for table, trigger in standing_triggers() if trigger == f"{table}_rows_never_change"}
    assert by_grant == by_trigger - partitions
    assert by_grant == set(NEVER_CHANGED)


@pytest.mark.django_db
def test_every_trigger_is_listed_and_every_listed_trigger_stands() -> None:
    standing = standing_triggers()
    assert expected_triggers() - set(standing) == set()
    known = {trigger for _, trigger in expected_triggers()}
    assert {trigger for _, trigger in standing} - known == set()
    assert all(standing.values())


@pytest.mark.django_db
def test_privileges_by_column_are_those_that_are_listed() -> None:
    """A grant on one column hides behind a clean table grant."""
    found = fetch(
        "SELECT c.relname, a.attname, p.privilege_type FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " CROSS JOIN LATERAL aclexplode(a.attacl) AS p WHERE c.relnamespace = 'public'::regnamespace"
    )
    listed = [(table, column, "INSERT") for table, columns in COLUMNS.items() for column in columns]
    assert sorted(found) == sorted(listed)


@pytest.mark.django_db
def test_the_application_role_has_no_power_beyond_its_grants() -> None:
    assert connection.settings_dict["USER"] == application_role()
    powers = fetch(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles"
        " WHERE rolname = current_user"
    )
    assert powers == [(False, False, False, False, False)]
    assert fetch("SELECT FROM pg_auth_members WHERE member = current_user::regrole") == []
    owned = fetch("SELECT relname FROM pg_class WHERE relowner = current_user::regrole")
    assert owned == []
    assert fetch("SELECT has_schema_privilege('public', 'CREATE')") == [(False,)]


@pytest.mark.django_db
def test_functions_that_lend_the_owners_power_are_pinned_to_their_schema() -> None:
    lending = fetch(
        "SELECT proname, prorettype = 'trigger'::regtype, proconfig FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )
    assert lending
    assert [name for name, _, settings in lending if "search_path=public, pg_temp" not in (settings or [])] == []
    callable_by_name = {name for name, is_trigger, _ in lending if not is_trigger}
    assert callable_by_name == {function.split("(")[0] for function in FUNCTIONS}


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("GRANT UPDATE ON ledger_entries TO {role}", "on ledger_entries"),
        ("GRANT TRUNCATE ON organizations TO {role}", "on organizations"),
        ("REVOKE INSERT ON outbox FROM {role}", "on outbox"),
        ("CREATE TABLE stray (id int)", "table stray is not listed"),
    ],
)
def test_a_difference_is_named(committed_db: str, statement: str, sentence: str) -> None:
    role = connection.ops.quote_name(application_role())
    with as_owner():
        execute(statement.format(role=role))
    (fault,) = missing_grants()
    assert sentence in fault
