"""Topics this room emits. Amounts are minor units, moments RFC 3339 UTC, objects public ids.

`billing.low_balance_warning`: account, balance_minor, threshold_minor, currency, episode, state.
`billing.auto_release_pending`: account, balance_minor, currency, burn_minor_per_hour (decimal text), episode,
projected_depletion_at.
`billing.balance_depleted`: account, balance_minor, currency, depletion, depleted_at, running_allocations.
`provisioning.force_release_requested`: account, allocation, external_id, depletion, depleted_at, requested_at.
"""

ACCOUNT_PARKED = "ledger.account_parked"
ACCOUNT_UNPARKED = "ledger.account_unparked"
LOW_BALANCE_WARNING = "billing.low_balance_warning"
AUTO_RELEASE_PENDING = "billing.auto_release_pending"
BALANCE_DEPLETED = "billing.balance_depleted"
FORCE_RELEASE_REQUESTED = "provisioning.force_release_requested"

TOPICS = frozenset(
    {
        ACCOUNT_PARKED,
        ACCOUNT_UNPARKED,
        LOW_BALANCE_WARNING,
        AUTO_RELEASE_PENDING,
        BALANCE_DEPLETED,
        FORCE_RELEASE_REQUESTED,
    }
)
