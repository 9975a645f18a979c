"""Money on a prepaid account, where a test is about something else than running out of it."""

from datetime import datetime
from itertools import count

from django.db import transaction

from accounts.locking import lock_account
from accounts.models import BillingAccount
from ledger.top_ups import post_top_up
from tests.cast import ACTOR, BEGINNING

PLENTY = 10**12
_sessions = count(7_000_000)


def fund(account: BillingAccount, amount_minor: int = PLENTY, *, at: datetime = BEGINNING) -> None:
    """Top the account up by minor units of its currency."""
    with transaction.atomic():
        locked = lock_account(account.pk)
        post_top_up(
            locked, amount_minor=amount_minor, provider="manual", session_id=next(_sessions), actor=ACTOR, at=at
        )
