"""What tests of the shell share."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.databases import Databases


@pytest.fixture
def empty_database(
    process_environment: dict[str, str], committed_db: str, databases: Databases
) -> Iterator[dict[str, str]]:
    """The environment of a process whose database was made and never migrated."""
    name = f"{committed_db}_empty"
    with psycopg.connect(process_environment["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}"')
    renamed = {
        variable: process_environment[variable].replace(f"/{committed_db}?", f"/{name}?")
        for variable in ("DATABASE_URL", "DATABASE_OWNER_URL")
    }
    try:
        yield {**process_environment, **renamed}
    finally:
        databases.drop(name)


@pytest.fixture
def no_database(committed_db: str, tmp_path: Path) -> Iterator[None]:
    """A database that this process cannot reach."""
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = str(tmp_path)
    yield
    connection.settings_dict["HOST"] = host
