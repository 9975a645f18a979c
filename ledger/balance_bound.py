"""Which balances need no judging: those of healthy accounts above the bound that their last judgement gave them.

Most postings and nearly every window of a tick leave a healthy balance healthy; to gather what it is judged by would be
half of what they cost. The bound is the rule's own (`balance_rule.healthy_above`). It says nothing where a mark waits
for the ring, or where a rate was set or came into force since the burn was worked out.
"""

from collections.abc import Collection
from datetime import datetime

from accounts import prepared
from ledger.balances import WALLET_HEAD

# Of `balance_states s`; the caller fills in what stands for the balance, the account's test clock and the moment.
STANDS = """(
    s.state = 'healthy' AND NOT s.judge_due AND {balance} > s.healthy_above_minor
    AND s.rates_seen = (SELECT coalesce(max(id), 0) FROM sku_rates)
    AND CASE WHEN {test_now} IS NOT NULL THEN s.burn_at = {test_now}
        ELSE s.burn_at >= (
            SELECT coalesce(max(effective_from), '-infinity') FROM sku_rates WHERE effective_from <= {at}
        ) END
)"""

_UNSETTLED = f"""
SELECT b.id FROM unnest(%(ids)s::bigint[]) AS chosen (id)
JOIN billing_accounts b ON b.id = chosen.id AND b.settlement = 'prepaid'
JOIN balance_states s ON s.billing_account_id = b.id
{WALLET_HEAD}
WHERE {STANDS.format(balance="head.balance_after", test_now="b.test_now", at="%(at)s::timestamptz")} IS NOT TRUE
"""  # noqa: S608 - a constant of ours

_SET = """
UPDATE balance_states s SET healthy_above_minor = known.bound
FROM unnest(%s::bigint[], %s::bigint[]) AS known (id, bound) WHERE s.billing_account_id = known.id
RETURNING s.billing_account_id
"""


def unsettled(account_ids: Collection[int], at: datetime) -> list[int]:
    """The prepaid ones among these whose balance must be judged at `at`. The caller holds their locks."""
    return [account for (account,) in prepared.rows(_UNSETTLED, {"ids": list(account_ids), "at": at})]


def keep(bounds: dict[int, int]) -> None:
    """Write down above which balance each account is healthy, minor units. The caller holds their locks."""
    if bounds:
        prepared.rows(_SET, [list(bounds), list(bounds.values())])
