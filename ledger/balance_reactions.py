"""Where acts of other rooms move a balance state: what burns, who pays, and the policies it is judged by."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction

from accounts.locking import lock_accounts
from accounts.models import BillingAccount, Organization, PolicyScope, PolicyValue, Settlement
from ledger import balance_state, burn
from ledger.models import BalanceState
from ledger.schedules import wake_organization
from quotas.models import Subscription

_BATCH = 500


def allocation_changed(*, account: BillingAccount, at: datetime) -> None:
    """An allocation started, was resized or is gone; in that act's transaction."""
    balance_state.judge(account, at=at, burn_moved=True)


def project_rebound(*, accounts: Collection[BillingAccount], at: datetime) -> None:
    """A project moved from one account to another, which changes what both burn."""
    for account in accounts:
        balance_state.judge(account, at=at, burn_moved=True)


def subscription_changed(*, subscription: Subscription, at: datetime) -> None:
    """Another plan may bring other policies: judge the organization's accounts, and look at their windows."""
    concerned = BillingAccount.objects.filter(
        settlement=Settlement.PREPAID, organization_id=subscription.organization_id
    )
    for account in lock_accounts(list(concerned.values_list("pk", flat=True))).values():
        balance_state.judge(account, at=account.test_now or at)
    wake_organization(subscription.organization_id, at)


def policy_changed(changed: PolicyValue) -> None:
    """Judge the accounts of the subject at once; where everybody is concerned, at the next ring.

    To judge all accounts in one transaction would hold the lock of all of them.
    """
    concerned = BillingAccount.objects.filter(settlement=Settlement.PREPAID)
    match changed.scope:
        case PolicyScope.TENANT:
            concerned = concerned.filter(organization=changed.scope_id)
        case PolicyScope.USER:
            owned = Organization.objects.filter(owner=changed.scope_id, personal=True)
            concerned = concerned.filter(organization__in=owned)
        case _:
            _mark_all()
            return
    accounts = lock_accounts(list(concerned.values_list("pk", flat=True)))
    for account in accounts.values():
        balance_state.judge(account, at=account.test_now or changed.updated_at, burn_moved=True)


def _mark_all() -> None:
    """Marked ones too: whoever judges them at this moment may have read the policies of before. In id order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH held AS MATERIALIZED ("
            "SELECT billing_account_id FROM balance_states ORDER BY billing_account_id FOR NO KEY UPDATE)"
            " UPDATE balance_states s SET judge_due = true FROM held"
            " WHERE held.billing_account_id = s.billing_account_id"
        )


def judge_due(at: datetime) -> int:
    """Judge the accounts that a change for everybody concerns, in batches; how many. Each batch is a transaction."""
    judged = 0
    while batch := _judge_batch(at):
        judged += batch
    return judged


@transaction.atomic
def _judge_batch(at: datetime) -> int:
    due = BalanceState.objects.filter(judge_due=True).order_by("pk").values_list("pk", flat=True)[:_BATCH]
    free = BillingAccount.objects.filter(pk__in=list(due)).order_by("pk")
    ids = list(free.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
    burn.refresh(ids, at)  # locks the rows: a change that is being made is waited for, and read
    balance_state.judge_many(ids, at=at)
    return BalanceState.objects.filter(pk__in=ids).update(judge_due=False)
