"""Statements on the hot path, prepared once a connection: planning would be half of what they cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection


def rows(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement on Django's own connection, in its transaction, through a cursor that prepares.

    Django's cursors send literals and are never prepared. Its database errors are raised as from any query.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters, prepare=True)
        return cursor.fetchall()
