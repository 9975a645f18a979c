"""Topics this room emits."""

ACCOUNT_PARKED = "ledger.account_parked"
ACCOUNT_UNPARKED = "ledger.account_unparked"

TOPICS = frozenset({ACCOUNT_PARKED, ACCOUNT_UNPARKED})
