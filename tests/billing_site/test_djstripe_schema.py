"""dj-stripe's tables come from one generated migration: held equal to its models, and in proof to its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from billing_site.roles import as_owner

ROOT = Path(__file__).resolve().parents[2]
Catalogue = dict[str, list[tuple[object, ...]]]

_MIGRATE_STOCK = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "billing_site.settings"
import django
from django.conf import settings
settings.MIGRATION_MODULES = {}
django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
call_command(Command(), "djstripe", verbosity=0)
"""

_QUERIES = {
    "columns": (
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,"
        " coalesce(pg_get_expr(d.adbin, d.adrelid), '')"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    ),
    "constraints": (
        "SELECT c.relname, k.conname, k.contype, k.condeferrable, k.condeferred, pg_get_constraintdef(k.oid)"
        " FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype <> 'n'"
    ),
    "indexes": (
        "SELECT c.relname, x.relname, pg_get_indexdef(i.indexrelid)"
        " FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid"
    ),
}


def catalogue(schema: str, *, names_matter: bool = True) -> Catalogue:
    """Every column, constraint and index of dj-stripe's tables in a schema, as PostgreSQL tells it."""
    found: Catalogue = {}
    with connection.cursor() as cursor:
        for kind, query in _QUERIES.items():
            cursor.execute(
                f"{query} WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r'"
                r" AND c.relname LIKE 'djstripe\_%%'",
                [schema],
            )
            rows = [tuple(_plain(cell, schema, names_matter) for cell in row) for row in cursor.fetchall()]
            found[kind] = sorted(rows, key=repr)
    return found


def _plain(cell: object, schema: str, names_matter: bool) -> object:
    if not isinstance(cell, str):
        return cell
    cell = re.sub(rf"\b({re.escape(schema)}|pg_temp)\.", "", cell)
    if names_matter:
        return cell
    # Names that Django makes hold a hash of what they were called when they were made.
    return re.sub(r"\bdjstripe_\w+_[0-9a-f]{8}(_\w+)?\b", "(made name)", cell)


def djstripe_models() -> list[type[models.Model]]:
    return list(apps.get_app_config("djstripe").get_models(include_auto_created=True))


def test_the_models_ask_for_no_further_migration() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(
        graph=loader.graph, trim_to_apps={"djstripe"}
    )
    assert changes.get("djstripe", []) == []


def test_there_is_one_migration_and_it_is_ours() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    migrations = [loader.disk_migrations[key] for key in loader.disk_migrations if key[0] == "djstripe"]
    assert len(migrations) == 1
    assert type(migrations[0]).__module__.startswith("payments.providers.stripe.djstripe_migrations.")


@pytest.mark.django_db
def test_the_tables_are_those_of_the_models() -> None:
    """The models are made a second time, as temporary tables, and PostgreSQL is asked about both."""
    migrated = catalogue("public")
    expected = {model._meta.db_table for model in djstripe_models()}
    assert {row[0] for row in migrated["columns"]} == expected
    assert len(expected) > 60
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = pg_temp, public")
        # The application role may make no other kind, and it may refer to its own kind only.
        cursor.execute("CREATE TEMPORARY TABLE users (LIKE public.users INCLUDING INDEXES)")
    with connection.schema_editor(collect_sql=True) as editor:
        for model in djstripe_models():
            if not model._meta.auto_created:
                editor.create_model(model)
    with connection.cursor() as cursor:
        for statement in editor.collected_sql:
            cursor.execute(statement.replace("CREATE TABLE", "CREATE TEMPORARY TABLE"))
        # Migrations, also dj-stripe's own, give the tables between two models the key type of the project.
        for model in djstripe_models():
            if model._meta.auto_created:
                cursor.execute(f"ALTER TABLE pg_temp.{model._meta.db_table} ALTER COLUMN id TYPE bigint")
        cursor.execute("SELECT pg_my_temp_schema()::regnamespace::text")
        (temporary,) = cursor.fetchone()
        twins = catalogue(temporary)
    for kind, rows in migrated.items():
        assert rows == twins[kind], kind


@pytest.mark.django_db
def test_a_changed_column_would_be_seen() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE djstripe_charge (LIKE public.djstripe_charge INCLUDING ALL)")
        cursor.execute("SELECT pg_my_temp_schema()::regnamespace::text")
        (temporary,) = cursor.fetchone()

        def columns(schema: str) -> list[tuple[object, ...]]:
            return [row for row in catalogue(schema)["columns"] if row[0] == "djstripe_charge"]

        assert columns(temporary) == columns("public")
        cursor.execute("ALTER TABLE pg_temp.djstripe_charge ALTER COLUMN amount TYPE numeric(15, 2)")
        assert columns(temporary) != columns("public")


@pytest.mark.proof
def test_the_tables_are_those_of_dj_stripes_own_migrations(
    committed_db: str, process_environment: dict[str, str]
) -> None:
    """Its own three files are run on an empty database, which takes most of a minute."""
    ours = catalogue("public", names_matter=False)
    assert len({row[0] for row in ours["columns"]}) > 60
    stock = f"{committed_db}_stock"
    with as_owner(), connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{stock}"')
    try:
        owner_url = process_environment["DATABASE_OWNER_URL"].replace(committed_db, stock)
        subprocess.run(
            [sys.executable, "-c", _MIGRATE_STOCK],
            cwd=ROOT,
            env={**process_environment, "DATABASE_URL": owner_url},
            check=True,
            timeout=600,
        )
        connection.settings_dict["NAME"] = stock
        with as_owner():
            theirs = catalogue("public", names_matter=False)
    finally:
        connection.settings_dict["NAME"] = committed_db
        with as_owner(), connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{stock}" WITH (FORCE)')
    assert ours == theirs
