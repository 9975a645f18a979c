"""The bare reference of a tick: two plain INSERT … SELECT of the same rows into tables of the same columns and indexes,
with no trigger and no foreign key. What a tick costs beyond it is rating, guards, cursors and running balances."""

import time
from datetime import datetime

from django.db import connection

from billing_site.roles import as_owner

_TABLES = (
    ("usage_records", "interval_end = %s"),
    ("ledger_entries", "effective_at = %s"),
)


def bare_inserts(moment: datetime) -> float:
    """Insert one tick's rows again into fresh twins, each in its own transaction; seconds of the inserts alone."""
    spent = 0.0
    with as_owner(), connection.cursor() as cursor:
        for table, condition in _TABLES:
            cursor.execute(f"CREATE TEMP TABLE source_{table} AS SELECT * FROM {table} WHERE {condition}", [moment])
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            begun = time.perf_counter()
            cursor.execute(f"INSERT INTO bare_{table} SELECT * FROM source_{table}")
            spent += time.perf_counter() - begun
            cursor.execute(f"DROP TABLE bare_{table}, source_{table}")
    return spent
