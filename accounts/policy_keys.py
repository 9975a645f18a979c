"""Every policy key: its type, default and scopes. A key that is not here does not exist."""

from dataclasses import dataclass
from typing import Any

ALL = ("user", "project", "tenant", "plan", "global")
TENANT = ("tenant", "plan", "global")
GLOBAL = ("global",)


@dataclass(frozen=True)
class PolicyKey:
    name: str
    kind: str  # int, bool, money, ints, or the allowed words joined by "/"
    default: Any
    scopes: tuple[str, ...]
    effect: str
    minimum: int = 0
    maximum: int = 2**31 - 1
    needs_approval: bool = False


_KEYS = (
    PolicyKey("billing.window_seconds", "int", 60, TENANT, "accrual window", 1, 86400),
    PolicyKey(
        "billing.low_balance_threshold_minor",
        "money",
        500,
        ("user", *TENANT),
        "low balance at or below",
    ),
    PolicyKey("billing.minimum_deposit_minor", "money", 1000, TENANT, "smallest top-up"),
    PolicyKey("billing.maximum_deposit_minor", "money", 100000, TENANT, "largest top-up"),
    PolicyKey("billing.auto_release_projection_seconds", "int", 3600, TENANT, "advisory horizon"),
    PolicyKey("billing.release_grace_seconds", "int", 300, TENANT, "grace of a release"),
    PolicyKey("billing.outage_tail", "waive/bill", "waive", ("tenant", "global"), "usage an outage failed to stop"),
    PolicyKey("billing.auto_topup_daily_ceiling_minor", "money", 50000, TENANT, "runaway guard", needs_approval=True),
    PolicyKey("allocation.refund_window_days", "int", 30, ALL, "provider refund or internal credit"),
    PolicyKey("notification.low_balance_enabled", "bool", True, ALL, "warning mail and push"),
    PolicyKey("notification.auto_release_pending_enabled", "bool", True, ALL, "advisory"),
    PolicyKey("notification.balance_depleted_enabled", "bool", True, ALL, "depletion"),
    PolicyKey("accounts.billing_accounts_per_organization", "int", 1, TENANT, "quota of accounts", 0, 10_000),
    PolicyKey("quotas.projects_limit", "int", 50, TENANT, "multiplies system overhead"),
    PolicyKey("quotas.suspension_grace_days", "int", 7, TENANT, "suspended to canceled"),
    PolicyKey("quotas.alert_percent", "ints", [80, 95], TENANT, "quota alerts"),
    PolicyKey("quotas.proration", "second/day", "second", ("plan", "global"), "proration unit"),
    PolicyKey("invoicing.draft_hours", "int", 24, TENANT, "grace between draft and issue"),
    PolicyKey("invoicing.late_usage_days", "int", 30, GLOBAL, "older events are quarantined"),
    PolicyKey("dunning.max_retries", "int", 4, TENANT, "attempts before past due"),
    PolicyKey("dunning.retry_days", "ints", [1, 3, 5, 7], TENANT, "retry schedule"),
    PolicyKey("dunning.past_due_days", "int", 7, TENANT, "escalation by age"),
    PolicyKey("dunning.bad_debt_days", "int", 30, TENANT, "escalation by age"),
    PolicyKey("dunning.ban_amount_minor", "money", 100000, ("tenant", "global"), "bad debt that bans"),
    PolicyKey("approvals.refund_minor", "money", 20000, GLOBAL, "refunds above need two", needs_approval=True),
    PolicyKey("approvals.credit_minor", "money", 10000, GLOBAL, "credits above need two", needs_approval=True),
    PolicyKey("approvals.write_off_minor", "money", 5000, GLOBAL, "write-offs above need two", needs_approval=True),
    PolicyKey("approvals.catalog_publication", "bool", True, GLOBAL, "publication needs two", needs_approval=True),
    PolicyKey("approvals.expiry_hours", "int", 72, GLOBAL, "an undecided request lapses", 1, 8760),
)

KEYS: dict[str, PolicyKey] = {key.name: key for key in _KEYS}
