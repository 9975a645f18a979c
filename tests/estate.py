"""A large estate in a few statements: accounts with projects, bindings and running allocations.

Rows go in as the application role through every trigger, only set-wise instead of act by act; what burns is known and
judged, as the acts would have left it.
"""

from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from accounts.lifecycle import open_organization
from accounts.locking import lock_accounts
from accounts.models import BillingAccount, LegalEntity, User
from ledger import burn
from ledger.balance_state import judge_many
from ledger.months import ensure_month
from quotas.price_book import open_sku, set_rate
from tests.cast import ACTOR, BEGINNING

SKUS = 20

_ROWS = (
    """
    INSERT INTO billing_accounts (organization_id, legal_entity_id, name, currency, settlement, phase, created_at)
    SELECT %(organization)s, %(entity)s, 'Account ' || n, 'USD', 'prepaid', 'Ready', %(began)s
    FROM generate_series(1, %(accounts)s) n
    """,
    """
    INSERT INTO projects (organization_id, name, slug, created_at)
    SELECT organization_id, name, 'estate-' || id, created_at FROM billing_accounts
    WHERE organization_id = %(organization)s
    """,
    """
    INSERT INTO billing_account_bindings (organization_id, project_id, billing_account_id, phase, established_at)
    SELECT p.organization_id, p.id, replace(p.slug, 'estate-', '')::bigint, 'Active', %(began)s
    FROM projects p WHERE p.organization_id = %(organization)s
    """,
    """
    INSERT INTO allocations (organization_id, project_id, sku_id, external_id, status, requested_at, started_at)
    SELECT p.organization_id, p.id, s.id, '', 'active', %(started)s, %(started)s
    FROM generate_series(0, %(each)s - 1) n
    CROSS JOIN projects p
    JOIN skus s ON s.code = 'estate-' || ((p.id + n) %% %(skus)s)
    WHERE p.organization_id = %(organization)s
    """,
    """
    INSERT INTO allocation_quantities (allocation_id, organization_id, quantity, effective_from)
    SELECT id, organization_id, 1 + id %% 8, started_at FROM allocations WHERE organization_id = %(organization)s
    """,
)

# Money enough for years, so that a tick is about ticking.
_FUNDS = """
WITH own AS MATERIALIZED (
    SELECT b.id, nextval(pg_get_serial_sequence('ledger_accounts', 'id')) AS wallet,
           nextval(pg_get_serial_sequence('ledger_transactions', 'id')) AS posted
    FROM billing_accounts b WHERE b.organization_id = %(organization)s
), clearing AS (
    INSERT INTO ledger_accounts (legal_entity_id, kind, detail, currency, chained)
    VALUES (%(entity)s, 'clearing', 'manual', 'USD', false) RETURNING id
), opened AS (
    INSERT INTO ledger_accounts (id, legal_entity_id, kind, detail, currency, billing_account_id, chained)
    SELECT wallet, %(entity)s, 'wallet', '', 'USD', id, true FROM own
), born AS (
    INSERT INTO ledger_transactions (id, business_key, kind, correlation_id, actor, effective_at)
    SELECT posted, 'topup:estate-' || id, 'topup', 'estate', 'test', %(began)s FROM own
), entered AS (
    INSERT INTO ledger_entries (transaction_id, ledger_account_id, billing_account_id, account_seq, amount_minor,
                                balance_after, currency, reason, reference_type, reference_id, effective_at)
    SELECT posted, wallet, id, 1, 1000000000000, 1000000000000, 'USD', 'topup', 'payment_session', id,
           %(began)s::timestamptz
    FROM own
    UNION ALL
    SELECT posted, clearing.id, own.id, NULL, -1000000000000, NULL, 'USD', 'topup', 'payment_session', own.id, %(began)s
    FROM own CROSS JOIN clearing
)
INSERT INTO daily_total_increments (legal_entity_id, day, kind, currency, sum_minor, entry_count)
SELECT %(entity)s, (%(began)s::timestamptz AT TIME ZONE 'UTC')::date, kind, 'USD', sign * 1000000000000 * %(accounts)s,
       %(accounts)s
FROM (VALUES ('wallet', 1), ('clearing', -1)) AS side (kind, sign)
"""


def build(*, accounts: int, allocations_each: int, started_at: datetime) -> int:
    """Open that many funded prepaid accounts with that many running allocations each; the organization's id."""
    owner = User.objects.create_user("estate@countinghouse.example")
    entity = LegalEntity.objects.create(name="Estate", country="US", base_currency="USD", created_at=BEGINNING)
    organization = open_organization("Estate", "estate", owner=owner, at=BEGINNING)
    for number in range(SKUS):
        sku = open_sku(f"estate-{number}", f"Estate {number}", "GPU", at=BEGINNING)
        rate = Decimal(5 + number) / 10
        set_rate(sku, currency="USD", rate_per_unit_hour=rate, effective_from=BEGINNING, actor=ACTOR, at=BEGINNING)
    ensure_month(started_at.date())
    parameters = {
        "organization": organization.pk,
        "entity": entity.pk,
        "accounts": accounts,
        "each": allocations_each,
        "skus": SKUS,
        "began": BEGINNING,
        "started": started_at,
    }
    with connection.cursor() as cursor:
        for statement in (*_ROWS, _FUNDS):
            cursor.execute(statement, parameters)
    _judge(organization.pk, started_at)
    return organization.pk


def _judge(organization_id: int, at: datetime) -> None:
    account_ids = (
        BillingAccount.objects.filter(organization=organization_id).order_by("pk").values_list("pk", flat=True)
    )
    waiting = list(account_ids)
    for first in range(0, len(waiting), 5_000):
        batch = waiting[first : first + 5_000]
        with transaction.atomic():
            lock_accounts(batch)
            burn.refresh(batch, at)
            judge_many(batch, at=at)
