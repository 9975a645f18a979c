"""How many rows every table holds: what is refused leaves each as it was."""

from collections import Counter

from django.db import connection

# Sessions belong to the test's own client. A table without a page on disk holds no row; to count it costs as much as
# to count any other, and most are such.
_TABLES = """
SELECT relname FROM pg_class c
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND relname <> 'django_session' AND has_table_privilege(oid, 'SELECT')
  AND CASE relkind WHEN 'p' THEN (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(c.oid))
      ELSE pg_relation_size(oid) END > 0
ORDER BY relname
"""


def row_counts() -> Counter[str]:
    """By table; one that is not named holds none."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables))
        return Counter(dict(cursor.fetchall()))
