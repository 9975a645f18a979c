"""manage.py: what whoever runs the site can mend is said in a line, without a traceback."""

import os
from pathlib import Path

import pytest

from tests.billing_site.command_line import manage

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", ["accrue", "verify_books", "migrate"])
def test_a_database_that_does_not_answer_is_a_line(tmp_path: Path, command: str) -> None:
    url = f"postgresql://role:hunter2@/books?host={tmp_path}"
    done = manage({**os.environ, "DATABASE_URL": url, "DATABASE_OWNER_URL": url}, command)
    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer: ")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("command", ["accrue", "demo"])
def test_a_database_without_tables_is_a_line(empty_database: dict[str, str], command: str) -> None:
    done = manage(empty_database, command)
    assert done.returncode == 1
    assert done.stderr.startswith("The database lacks a table ")
    assert done.stderr.endswith("run manage.py migrate.\n")
    assert done.stderr.count("\n") == 1


def test_the_traceback_is_there_for_whoever_asks(tmp_path: Path) -> None:
    done = manage({**os.environ, "DATABASE_URL": f"postgresql://role@/books?host={tmp_path}"}, "accrue", "--traceback")
    assert "Traceback" in done.stderr
