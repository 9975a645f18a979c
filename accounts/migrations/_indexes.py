"""Indexes on tables that are already large: made while others write, so the migration must not be atomic."""

from django.db import migrations


def beside_writers(**definitions: str) -> list[migrations.RunSQL]:
    """`name="table (columns)"`. A run that was cut short leaves an invalid index; the next one makes it anew."""
    return [
        migrations.RunSQL(
            [
                f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                f"CREATE INDEX CONCURRENTLY {name} ON {definition}",
            ],
            f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
        )
        for name, definition in definitions.items()
    ]
