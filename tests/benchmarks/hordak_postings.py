"""django-hordak's own way of posting, in a process of its own: prints postings a second after a warm-up.

Each posting is one transaction, as ours is.
"""

import os
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.hordak_settings"


def main(postings: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from hordak.models import Account, AccountType
    from moneyed import USD, Money

    call_command("migrate", verbosity=0)
    wallet = Account.objects.create(name="wallet", type=AccountType.liability, currencies=["USD"], code="1")
    allowances = Account.objects.create(name="allowances", type=AccountType.income, currencies=["USD"], code="2")

    def post(count: int) -> float:
        begun = time.perf_counter()
        for _ in range(count):
            with transaction.atomic():
                allowances.transfer_to(wallet, Money("1.00", USD))
        return count / (time.perf_counter() - begun)

    post(50)
    print(post(postings))


if __name__ == "__main__":
    main(int(sys.argv[1]))
