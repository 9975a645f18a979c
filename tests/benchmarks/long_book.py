"""A book of millions of entries: months of hourly usage of 2,000 accounts, and today's by the tick itself.

The months go in set-wise, as the application role and through every trigger of the book, without usage records.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from accounts.clock import now
from accounts.models import BillingAccount
from accounts.policy import set_value
from billing_site.roles import as_owner
from ledger import accrual, daily_totals
from ledger.chart import open_ledger_account
from ledger.models import LedgerEntry
from tests import estate
from tests.cast import ACTOR, BEGINNING

ACCOUNTS = 2_000
DAY = timedelta(days=1)
_WINDOWS_A_DAY = 24
_DAYS_A_STATEMENT = 4

# Day d of an account: a debit for each window and one credit to revenue; its wallet began with one top-up.
_USAGE = """
WITH act AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('ledger_transactions', 'id')) AS posted, b.id, w.id AS wallet, d,
           5 + b.id %% 40 AS cost, CASE b.id WHEN %(big)s THEN %(windows_of_big)s ELSE %(windows)s END AS windows
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) d
    CROSS JOIN billing_accounts b JOIN ledger_accounts w ON w.billing_account_id = b.id
    WHERE b.organization_id = %(organization)s
), born AS (
    INSERT INTO ledger_transactions (id, business_key, kind, correlation_id, actor, effective_at)
    SELECT posted, 'usage:' || id || ':day-' || d, 'usage', 'tick-' || d, 'system:accrual',
           %(began)s::timestamptz + (d + 1) * interval '1 day'
    FROM act
), entered AS (
    INSERT INTO ledger_entries (transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor,
                                balance_after, currency, reason, reference_type, reference_id, effective_at)
    SELECT posted, wallet, id, 1 + d * windows + k, -cost, 1000000000000 - cost * (d * windows + k), 'USD', 'usage',
           'usage_record', d * windows + k,
           %(began)s::timestamptz + d * interval '1 day' + k * (interval '1 day' / windows)
    FROM act CROSS JOIN LATERAL generate_series(1, windows) k
    UNION ALL
    SELECT posted, %(revenue)s, id, NULL, cost * windows, NULL, 'USD', 'usage', 'billing_account', id,
           %(began)s::timestamptz + (d + 1) * interval '1 day'
    FROM act
)
INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)
SELECT %(entity)s, (%(began)s::timestamptz AT TIME ZONE 'UTC')::date + d::int, kind, 'USD', sign * sum(cost * windows),
       CASE sign WHEN 1 THEN count(*) ELSE sum(windows) END
FROM act CROSS JOIN (VALUES ('wallet', -1), ('usage_revenue', 1)) AS side (kind, sign) GROUP BY d, kind, sign
"""
_MORE_MACHINES = (
    """
    INSERT INTO allocations (organization_id, project_id, sku_id, external_id, status, requested_at, started_at)
    SELECT a.organization_id, a.project_id, a.sku_id, '', 'active', a.started_at, a.started_at
    FROM generate_series(2, %(machines)s) n
    CROSS JOIN (
        SELECT a.* FROM allocations a JOIN billing_account_bindings b ON b.project_id = a.project_id
        WHERE b.billing_account_id = %(account)s LIMIT 1
    ) a
    """,
    """
    INSERT INTO allocation_quantities (allocation_id, organization_id, quantity, effective_from)
    SELECT a.id, a.organization_id, 1, a.started_at FROM allocations a
    WHERE NOT EXISTS (SELECT FROM allocation_quantities q WHERE q.allocation_id = a.id)
    """,
)


@dataclass(frozen=True)
class LongBook:
    big: BillingAccount
    small: BillingAccount
    began: datetime
    days: int
    entries: int
    entries_of_big: int
    accounts: int = ACCOUNTS


def build(*, entries: int, of_one_account: int) -> LongBook:
    """About that many entries over the last months, of which one account has its large share. Statistics are fresh."""
    days = round((entries - of_one_account) / (ACCOUNTS * (_WINDOWS_A_DAY + 1)))
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    began = today - days * DAY
    machines = round(of_one_account / (days * _WINDOWS_A_DAY))
    reason = "windows of an hour"
    set_value("billing.window_seconds", 3600, scope="global", scope_id=None, actor=ACTOR, reason=reason, at=BEGINNING)
    organization = estate.build(accounts=ACCOUNTS, allocations_each=1, started_at=today)
    accounts = BillingAccount.objects.filter(organization=organization).order_by("pk")
    big, small = accounts[0], accounts[ACCOUNTS // 2]
    _write_usage(big, began, days, machines * _WINDOWS_A_DAY)
    with connection.cursor() as cursor:
        for statement in _MORE_MACHINES:
            cursor.execute(statement, {"account": big.pk, "machines": machines})
    accrual.drain(now())
    daily_totals.fold()
    _settle()
    own = LedgerEntry.objects.filter(ledger_account__billing_account=big)
    return LongBook(big, small, began, days, LedgerEntry.objects.count(), own.count())


def _write_usage(big: BillingAccount, began: datetime, days: int, windows_of_big: int) -> None:
    parameters = {
        "organization": big.organization_id,
        "entity": big.legal_entity_id,
        "revenue": open_ledger_account(big.legal_entity_id, "usage_revenue", "USD").pk,
        "began": began,
        "big": big.pk,
        "windows": _WINDOWS_A_DAY,
        "windows_of_big": windows_of_big,
    }
    for first in range(0, days, _DAYS_A_STATEMENT):
        last = min(first + _DAYS_A_STATEMENT, days) - 1
        with connection.cursor() as cursor:
            cursor.execute(_USAGE, {**parameters, "first": first, "last": last})


def _settle() -> None:
    """What autovacuum would have done in those months."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
