"""Our own way of posting, in a process of its own as the peer's is: prints postings a second after a warm-up.

Each posting is one transaction.
"""

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
WARM_UP = 50


def main(what: str, account_id: int, begin: int, postings: int) -> None:
    import django

    django.setup()
    from django.db import transaction

    from accounts import clock
    from accounts.locking import lock_account
    from accounts.models import BillingAccount
    from ledger import adjustments
    from ledger.top_ups import post_top_up
    from tests.cast import ACTOR

    def top_up(number: int) -> None:
        """Lock, running balance, two entries under every guard, daily totals, balance state, commit."""
        with transaction.atomic():
            account = lock_account(account_id)
            post_top_up(account, amount_minor=100, provider="manual", session_id=number, actor=ACTOR, at=clock.now())

    payload = adjustments.payload(BillingAccount.objects.get(pk=account_id), 100, "USD")

    def adjust(_: int) -> None:
        """As a top-up, and the policy limit and the audit row."""
        adjustments.adjust(payload, actor=ACTOR, reason="benchmark", at=clock.now())

    act: Callable[[int], None] = {"top_up": top_up, "adjust": adjust}[what]
    for number in range(begin, begin + WARM_UP):
        act(number)
    begun = time.perf_counter()
    for number in range(begin + WARM_UP, begin + WARM_UP + postings):
        act(number)
    print(postings / (time.perf_counter() - begun))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
