"""Who may ask for what over the API: the ability each operation needs, and those that are for our staff alone."""

NEEDS: dict[str, str] = {}
STAFF: dict[str, str] = {}
NARROW: frozenset[str] = frozenset()
