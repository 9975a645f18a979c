"""Single postings through our act and through django-hordak's `transfer_to`, in turn, in one run."""

import os
import subprocess
import sys
import time
from statistics import median
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction

from accounts import clock
from accounts.locking import lock_account
from billing_site.roles import as_owner
from ledger import adjustments
from ledger.top_ups import post_top_up
from tests.cast import ACTOR, Cast

ROUNDS, POSTINGS = 5, 400
PEER = "hordak_benchmark"


def rate_of_top_ups(cast: Cast, begin: int) -> float:
    """Top-ups a second: lock, running balance, two entries under every guard, daily totals, commit."""
    begun = time.perf_counter()
    for number in range(begin, begin + POSTINGS):
        with transaction.atomic():
            account = lock_account(cast.prepaid.pk)
            post_top_up(account, amount_minor=100, provider="manual", session_id=number, actor=ACTOR, at=clock.now())
    return POSTINGS / (time.perf_counter() - begun)


def rate_of_adjustments(cast: Cast) -> float:
    """Adjustments a second: as a top-up, and the policy limit and the audit row."""
    payload = adjustments.payload(cast.prepaid, 100, "USD")
    begun = time.perf_counter()
    for _ in range(POSTINGS):
        adjustments.adjust(payload, actor=ACTOR, reason="benchmark", at=clock.now())
    return POSTINGS / (time.perf_counter() - begun)


def rate_of_the_peer(environment: dict[str, str]) -> float:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {PEER}")
        cursor.execute(f"CREATE DATABASE {PEER}")
    address = environment["DATABASE_OWNER_URL"]
    path = urlsplit(address).path
    peer = {**environment, "HORDAK_DATABASE_URL": address.replace(f"@{path}?", f"@/{PEER}?")}
    command = [sys.executable, "-m", "tests.benchmarks.hordak_postings", str(POSTINGS)]
    printed = subprocess.run(command, env=peer, capture_output=True, text=True, check=True, cwd=os.getcwd())
    return float(printed.stdout.split()[-1])


@pytest.mark.benchmark
def test_single_postings_beside_django_hordak(
    committed_db: str, cast: Cast, process_environment: dict[str, str]
) -> None:
    rate_of_top_ups(cast, 1)
    rounds = [
        (rate_of_top_ups(cast, number * POSTINGS + 1), rate_of_the_peer(process_environment), rate_of_adjustments(cast))
        for number in range(1, ROUNDS + 1)
    ]
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {PEER}")
    peer = median(rate for _, rate, _ in rounds)
    for what, rates in (("top-ups", [o for o, _, _ in rounds]), ("adjustments, audited", [a for _, _, a in rounds])):
        ratio = median(ours / theirs for ours, (_, theirs, _) in zip(rates, rounds, strict=True))
        print(
            f"\n{what}: {ratio:.2f} × django-hordak transfer_to (median of {ROUNDS} pairs;"
            f" {median(rates):.0f} and {peer:.0f} a second in one process)"
        )
