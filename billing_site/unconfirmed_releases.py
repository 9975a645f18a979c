"""Releases that the platform was asked for and has not confirmed within their grace: machines that still cost."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from accounts.currencies import EXPONENTS
from accounts.policy import Scope, effective_many
from accounts.public_ids import encode
from ledger.balance_facts import GRACE
from quotas.models import Allocation

MOST = 500
# An allocation is asked for once a depletion; the first request counts. A window is at most a day long, so the usage
# after a request begins at most a day before it: that bound is what the index and the partitions need.
_OPEN = """
SELECT al.id, s.name, p.name, b.id, b.name, b.currency, b.organization_id, CASE WHEN o.personal THEN o.owner_id END,
       asked.requested_at, coalesce(b.test_now, %(at)s::timestamptz),
       coalesce(billed.cost, 0)::bigint, q.quantity * r.rate_per_unit_hour, sub.plan_id
FROM (
    SELECT * FROM allocations WHERE status = 'releasing' ORDER BY release_requested_at, id LIMIT %(most)s
) al
JOIN LATERAL (
    SELECT f.requested_at, f.billing_account_id FROM force_release_requests f
    WHERE f.allocation_id = al.id ORDER BY f.id LIMIT 1
) asked ON true
JOIN billing_accounts b ON b.id = asked.billing_account_id
JOIN organizations o ON o.id = b.organization_id
LEFT JOIN subscriptions sub ON sub.organization_id = o.id
JOIN projects p ON p.id = al.project_id
JOIN skus s ON s.id = al.sku_id
LEFT JOIN allocation_quantities q ON q.allocation_id = al.id AND q.effective_to IS NULL
LEFT JOIN LATERAL (
    SELECT rate_per_unit_hour FROM sku_rates
    WHERE sku_id = al.sku_id AND currency = b.currency AND effective_from <= coalesce(b.test_now, %(at)s::timestamptz)
    ORDER BY effective_from DESC LIMIT 1
) r ON true
LEFT JOIN LATERAL (
    SELECT sum(u.cost_minor) AS cost FROM usage_records u
    WHERE u.allocation_id = al.id AND u.billing_account_id = b.id
      AND u.interval_start > asked.requested_at - interval '1 day' AND u.interval_end > asked.requested_at
) billed ON true
ORDER BY asked.requested_at, al.id
"""


@dataclass(frozen=True)
class UnconfirmedRelease:
    """`debt_minor` is the usage billed for windows that end after the request; `cost_minor_per_hour` what it adds."""

    allocation_id: int
    sku: str
    project: str
    account_id: int
    account: str
    currency: str
    asked_at: datetime
    waited: timedelta
    debt_minor: int
    cost_minor_per_hour: Decimal | None

    @property
    def allocation(self) -> str:
        return encode(Allocation.PUBLIC_PREFIX, self.allocation_id)


def unconfirmed_releases(at: datetime) -> list[UnconfirmedRelease]:
    """Those past `billing.release_grace_seconds` of their account, longest waiting first; MOST are looked at."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"at": at, "most": MOST})
        found = cursor.fetchall()
    if not found:
        return []
    subjects = {row[3]: (Scope(user_id=row[7], tenant_id=row[6], plan_id=row[12]), row[5]) for row in found}
    graces = effective_many([GRACE], subjects)
    releases = []
    for key, sku, project, account_id, account, currency, _, _, asked_at, now, debt, hourly, _ in found:
        waited = now - asked_at
        if waited > timedelta(seconds=graces[account_id][GRACE]):
            per_hour = None if hourly is None else hourly * 10 ** EXPONENTS.get(currency, 0)
            release = UnconfirmedRelease(
                key, sku, project, account_id, account, currency, asked_at, waited, debt, per_hour
            )
            releases.append(release)
    return releases


def debts(releases: Iterable[UnconfirmedRelease]) -> dict[str, int]:
    """What they cost since they were asked for, in minor units by currency."""
    sums: defaultdict[str, int] = defaultdict(int)
    for release in releases:
        sums[release.currency] += release.debt_minor
    return dict(sorted(sums.items()))
