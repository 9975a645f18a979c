"""What runs on an account now: how much of it, at which rate, and what that costs an hour; one query."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from accounts.currencies import EXPONENTS
from accounts.models import BillingAccount
from accounts.public_ids import encode
from quotas.models import Allocation

SHOWN = 25
# As the burn of the account is worked out (ledger/burn.py): cursors know what is not billed to its end.
_RUNNING = """
SELECT al.id, p.name, s.name, s.unit, al.status, al.external_id, al.started_at, al.release_requested_at, q.quantity,
       r.rate_per_unit_hour
FROM (
    SELECT a.* FROM billing_account_bindings bound
    JOIN accrual_cursors c ON c.project_id = bound.project_id AND NOT c.done
    JOIN allocations a ON a.id = c.allocation_id AND a.status IN ('active', 'releasing')
    WHERE bound.billing_account_id = %(account)s AND bound.phase = 'Active'
    ORDER BY c.allocation_id DESC LIMIT %(most)s
) al
JOIN projects p ON p.id = al.project_id
JOIN skus s ON s.id = al.sku_id
LEFT JOIN allocation_quantities q ON q.allocation_id = al.id AND q.effective_to IS NULL
LEFT JOIN LATERAL (
    SELECT rate_per_unit_hour FROM sku_rates
    WHERE sku_id = al.sku_id AND currency = %(currency)s AND effective_from <= %(at)s
    ORDER BY effective_from DESC LIMIT 1
) r ON true
ORDER BY al.id DESC
"""


@dataclass(frozen=True)
class RunningAllocation:
    """`rate` is in major units per unit and hour; None where no rate is in force."""

    pk: int
    project: str
    sku: str
    unit: str
    status: str
    external_id: str
    started_at: datetime | None
    release_requested_at: datetime | None
    quantity: Decimal | None
    rate: Decimal | None
    currency: str

    @property
    def public_id(self) -> str:
        return encode(Allocation.PUBLIC_PREFIX, self.pk)

    @property
    def minor_per_hour(self) -> Decimal | None:
        if self.rate is None or self.quantity is None:
            return None
        return self.rate * self.quantity * Decimal(10) ** EXPONENTS.get(self.currency, 0)


@dataclass(frozen=True)
class Running:
    """The newest SHOWN, and whether there are more."""

    allocations: list[RunningAllocation]
    more: bool

    @property
    def minor_per_hour(self) -> Decimal:
        """What the shown ones cost an hour, in minor units."""
        return sum((one.minor_per_hour or Decimal(0) for one in self.allocations), Decimal(0))


def running_on(account: BillingAccount, at: datetime) -> Running:
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, {"account": account.pk, "currency": account.currency, "at": at, "most": SHOWN + 1})
        found = [RunningAllocation(*(*row, account.currency)) for row in cursor.fetchall()]
    return Running(found[:SHOWN], len(found) > SHOWN)
