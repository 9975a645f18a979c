"""Every policy key: its type, bounds, default and scopes. A key that is not here does not exist."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from accounts.currencies import MAXIMUM_MINOR, exponent
from accounts.errors import PolicyInvalid

ALL = ("user", "project", "tenant", "plan", "global")
TENANT = ("tenant", "plan", "global")
GLOBAL = ("global",)

_LONGEST_LIST = 20


@dataclass(frozen=True)
class PolicyKey:
    """`minimum` and `maximum` bind a number, each number of a list, and an amount in minor units."""

    name: str
    kind: str  # int, bool, money, ints (rising), or the allowed words joined by "/"
    default: Any
    scopes: tuple[str, ...]
    effect: str
    minimum: int = 0
    maximum: int = MAXIMUM_MINOR
    unit: str = ""  # what a number counts, in the singular
    needs_approval: bool = False

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]

    @property
    def words(self) -> tuple[str, ...]:
        """The words a value may be; none where it is no word."""
        return tuple(self.kind.split("/")) if "/" in self.kind else ()


_KEYS = (
    PolicyKey("billing.window_seconds", "int", 60, TENANT, "accrual window", 1, 86_400, "second"),
    PolicyKey("billing.low_balance_threshold_minor", "money", 500, ("user", *TENANT), "low balance at or below"),
    PolicyKey("billing.minimum_deposit_minor", "money", 1000, TENANT, "smallest top-up", 1),
    PolicyKey("billing.maximum_deposit_minor", "money", 100_000, TENANT, "largest top-up", 1),
    PolicyKey(
        "billing.auto_release_projection_seconds", "int", 3600, TENANT, "advisory horizon", 0, 2_592_000, "second"
    ),
    PolicyKey(
        "billing.release_grace_seconds",
        "int",
        300,
        TENANT,
        "grace of the outage tail and of an unconfirmed release",
        0,
        604_800,
        "second",
    ),
    PolicyKey("billing.outage_tail", "waive/bill", "waive", ("tenant", "global"), "usage an outage failed to stop"),
    PolicyKey("billing.auto_topup_daily_ceiling_minor", "money", 50_000, TENANT, "runaway guard", needs_approval=True),
    PolicyKey(
        "allocation.refund_window_days", "int", 30, ALL, "provider refund or internal credit", 0, 3650, unit="day"
    ),
    PolicyKey("notification.low_balance_enabled", "bool", True, ALL, "warning mail and push"),
    PolicyKey("notification.auto_release_pending_enabled", "bool", True, ALL, "advisory mail and push"),
    PolicyKey("notification.balance_depleted_enabled", "bool", True, ALL, "depletion mail and push"),
    PolicyKey(
        "accounts.billing_accounts_per_organization",
        "int",
        1,
        TENANT,
        "billing accounts an organization may open",
        0,
        10_000,
        "account",
    ),
    PolicyKey(
        "accounts.api_key_longest_days", "int", 365, ("tenant", "global"), "longest life of an API key", 1, 3650, "day"
    ),
    PolicyKey("quotas.projects_limit", "int", 50, TENANT, "multiplies system overhead", 0, 100_000, "project"),
    PolicyKey("quotas.suspension_grace_days", "int", 7, TENANT, "from suspended to canceled", 0, 365, "day"),
    PolicyKey("quotas.alert_percent", "ints", [80, 95], TENANT, "quota alerts", 1, 100, "percent"),
    PolicyKey("quotas.proration", "second/day", "second", ("plan", "global"), "proration unit"),
    PolicyKey("invoicing.draft_hours", "int", 24, TENANT, "grace between draft and issue", 0, 720, "hour"),
    PolicyKey("invoicing.late_usage_days", "int", 30, GLOBAL, "older events are quarantined", 1, 366, "day"),
    PolicyKey("dunning.max_retries", "int", 4, TENANT, "attempts before past due", 0, _LONGEST_LIST, "attempt"),
    PolicyKey("dunning.retry_days", "ints", [1, 3, 5, 7], TENANT, "retry schedule", 1, 365, "day"),
    PolicyKey("dunning.past_due_days", "int", 7, TENANT, "past due at this age", 0, 3650, "day"),
    PolicyKey("dunning.bad_debt_days", "int", 30, TENANT, "bad debt at this age", 0, 3650, "day"),
    PolicyKey("dunning.ban_amount_minor", "money", 100_000, ("tenant", "global"), "bad debt that bans"),
    PolicyKey("approvals.refund_minor", "money", 20_000, GLOBAL, "refunds above need two", needs_approval=True),
    PolicyKey("approvals.credit_minor", "money", 10_000, GLOBAL, "grants and adjustments", needs_approval=True),
    PolicyKey("approvals.write_off_minor", "money", 5_000, GLOBAL, "write-offs above need two", needs_approval=True),
    PolicyKey("approvals.catalog_publication", "bool", True, GLOBAL, "publication needs two", needs_approval=True),
    PolicyKey("approvals.expiry_hours", "int", 72, GLOBAL, "an undecided request lapses", 1, 8760, "hour"),
)

KEYS: dict[str, PolicyKey] = {key.name: key for key in _KEYS}


def known(name: object) -> PolicyKey:
    """The key of this name. Raises PolicyInvalid."""
    key = KEYS.get(name) if isinstance(name, str) else None
    if key is None:
        said = repr(name[:80]) if isinstance(name, str) else "of that name"
        raise PolicyInvalid(f"there is no policy {said}", field="key")
    return key


def check_value(key: PolicyKey, value: object) -> Any:
    """The value if it is of the key's type and range. Raises PolicyInvalid, CurrencyUnknown."""
    if not _fits(key, value):
        raise PolicyInvalid(f"{key.name} takes {takes(key)}")
    return value


def takes(key: PolicyKey) -> str:
    """What a key's value must be, in words."""
    bounds = f"from {key.minimum:,} to {key.maximum:,}"
    match key.kind:
        case "bool":
            return "true or false"
        case "int":
            return f"a whole number of {key.unit}s {bounds}"
        case "ints":
            return f"1 to {_LONGEST_LIST} whole numbers {bounds}, each above the one before"
        case "money":
            return f"an amount in minor units {bounds}, with its currency or for whichever applies"
        case _:
            return " or ".join(key.words)


def _fits(key: PolicyKey, value: object) -> bool:
    match key.kind:
        case "bool":
            return isinstance(value, bool)
        case "int":
            return _within(key, value)
        case "ints":
            return isinstance(value, list) and _rising(key, value)
        case "money":
            return _amount(key, value)
        case _:
            return isinstance(value, str) and value in key.words


def _rising(key: PolicyKey, items: list[Any]) -> bool:
    if not 0 < len(items) <= _LONGEST_LIST or not all(_within(key, item) for item in items):
        return False
    return all(first < second for first, second in pairwise(items))


def _amount(key: PolicyKey, value: object) -> bool:
    """Minor units of whatever currency applies, or of a currency that is named."""
    if not isinstance(value, dict):
        return _within(key, value)
    if set(value) != {"amount_minor", "currency"}:
        return False
    exponent(value["currency"])
    return _within(key, value["amount_minor"])


def _within(key: PolicyKey, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and key.minimum <= value <= key.maximum
