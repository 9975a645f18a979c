"""Topics this room emits. Each has a route in billing_site/outbox_routes.py; a shape test holds that."""

APPROVAL_REQUESTED = "approvals.requested"
APPROVAL_DECIDED = "approvals.decided"

TOPICS = frozenset({APPROVAL_REQUESTED, APPROVAL_DECIDED})
