"""Topics this room emits. Each has a route in billing_site/outbox_routes.py; a shape test holds that."""

APPROVAL_REQUESTED = "approvals.requested"
APPROVAL_DECIDED = "approvals.decided"
ACCOUNT_SUSPENDED = "accounts.account_suspended"
ACCOUNT_REACTIVATED = "accounts.account_reactivated"
ACCOUNT_ARCHIVED = "accounts.account_archived"
ACCOUNT_DELETED = "accounts.account_deleted"
ORGANIZATION_CLOSED = "accounts.organization_closed"

TOPICS = frozenset(
    {
        *(APPROVAL_REQUESTED, APPROVAL_DECIDED),
        *(ACCOUNT_SUSPENDED, ACCOUNT_REACTIVATED, ACCOUNT_ARCHIVED, ACCOUNT_DELETED),
        ORGANIZATION_CLOSED,
    }
)
