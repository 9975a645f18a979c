"""SQL for tables whose rows are born and never change; the migrations of every room use it."""


def guard(*tables: str) -> str:
    """Triggers that refuse UPDATE, DELETE and TRUNCATE to everyone, the owner included."""
    return "\n".join(
        f"""
        CREATE TRIGGER {table}_rows_never_change BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        """
        for table in tables
    )


def keep(*tables: str) -> str:
    """Triggers that refuse DELETE and TRUNCATE on tables whose rows may change but never vanish."""
    return "\n".join(
        f"""
        CREATE TRIGGER {table}_rows_are_kept BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        """
        for table in tables
    )
