"""What tests of the shell share."""

from collections.abc import Iterator

import psycopg
import pytest


@pytest.fixture
def empty_database(process_environment: dict[str, str], committed_db: str) -> Iterator[dict[str, str]]:
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
        with psycopg.connect(process_environment["DATABASE_OWNER_URL"], autocommit=True) as owner:
            owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
