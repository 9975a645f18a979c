"""A rebind inside a window, billed in one drain."""

from datetime import timedelta

import pytest

from accounts.bindings import rebind
from accounts.lifecycle import open_billing_account
from ledger import accrual
from ledger.models import UsageRecord
from quotas.allocations import start
from tests.cast import ACTOR, NOON, Cast

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("handovers", [1, 3])
def test_one_drain_bills_every_account_of_a_chain_of_rebinds(cast: Cast, handovers: int) -> None:
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accounts = [cast.prepaid]
    for number in range(1, handovers + 1):
        accounts.append(
            open_billing_account(
                cast.acme, cast.entity, f"{number}", currency="USD", settlement="postpaid", actor=ACTOR, at=NOON
            )
        )
        rebind(cast.project, accounts[-1], actor=ACTOR, at=NOON + timedelta(seconds=90 * number))
    done = accrual.drain(NOON + timedelta(minutes=10))
    usage = list(UsageRecord.objects.order_by("interval_start"))
    assert done.windows == len(usage) == 10 + handovers - sum(90 * n % 60 == 0 for n in range(1, handovers + 1))
    assert usage[0].interval_start == NOON
    assert usage[-1].interval_end == NOON + timedelta(minutes=10)
    assert [record.billing_account_id for record in usage][:2] == [cast.prepaid.pk] * 2
    assert {record.billing_account_id for record in usage} == {account.pk for account in accounts}
    assert accrual.drain(NOON + timedelta(minutes=10)).windows == 0
