"""How many rows every table holds: what is refused leaves each as it was."""

from django.db import connection

# Sessions belong to the test's own client.
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND relname <> 'django_session' AND has_table_privilege(oid, 'SELECT')
ORDER BY relname
"""


def row_counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables))
        return dict(cursor.fetchall())
