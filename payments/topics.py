"""Topics this room emits."""

BALANCE_CREDITED = "payments.balance_credited"

TOPICS = frozenset({BALANCE_CREDITED})
