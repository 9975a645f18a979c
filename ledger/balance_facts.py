"""What a prepaid balance is judged by: where it stands, what burns, which policies hold."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts import prepared
from accounts.policy import Scope, effective_many
from ledger.balance_rule import Terms
from ledger.balances import WALLET_HEAD

THRESHOLD = "billing.low_balance_threshold_minor"
PROJECTION = "billing.auto_release_projection_seconds"
GRACE = "billing.release_grace_seconds"
TAIL = "billing.outage_tail"

# A burn is stale where a rate was set, or came into force, since it was worked out.
_FACTS = f"""
SELECT b.id, b.currency, b.organization_id, CASE WHEN o.personal THEN o.owner_id END, sub.plan_id, b.test_now, s.state,
       s.burn_minor_per_hour, s.healthy_above_minor, head.balance_after,
       s.rates_seen <> newest.id OR coalesce(s.burn_at <> b.test_now, s.burn_at < newest.began, false)
FROM unnest(%(ids)s::bigint[]) AS chosen (id)
CROSS JOIN (
    SELECT (SELECT coalesce(max(id), 0) FROM sku_rates) AS id,
           (SELECT max(effective_from) FROM sku_rates WHERE effective_from <= %(at)s) AS began
) newest
JOIN billing_accounts b ON b.id = chosen.id
JOIN organizations o ON o.id = b.organization_id
LEFT JOIN subscriptions sub ON sub.organization_id = o.id
JOIN balance_states s ON s.billing_account_id = b.id
{WALLET_HEAD}
WHERE b.settlement = 'prepaid' ORDER BY b.id
"""  # noqa: S608 - a constant of ours


@dataclass(frozen=True)
class Facts:
    """Minor units of `currency`; `balance_minor` is None where the wallet has no entry."""

    account_id: int
    currency: str
    scope: Scope
    test_now: datetime | None
    state: str
    burn_minor_per_hour: Decimal
    healthy_above_minor: int | None
    balance_minor: int | None
    burn_is_stale: bool


def facts_of(account_ids: Collection[int], at: datetime) -> list[Facts]:
    """The prepaid ones among these accounts at `at`, in id order. Whoever judges by it holds their locks."""
    return [
        Facts(
            account,
            currency,
            Scope(user_id=owner, tenant_id=tenant, plan_id=plan),
            test_now,
            state,
            burn,
            bound,
            balance,
            stale,
        )
        for account, currency, tenant, owner, plan, test_now, state, burn, bound, balance, stale in prepared.rows(
            _FACTS, {"ids": list(account_ids), "at": at}
        )
    ]


def terms_of(facts: Collection[Facts]) -> dict[int, Terms]:
    """The policies in force for each account, by its id, in one query."""
    values = effective_many([THRESHOLD, PROJECTION], {one.account_id: (one.scope, one.currency) for one in facts})
    return {account: Terms(held[THRESHOLD], held[PROJECTION]) for account, held in values.items()}
