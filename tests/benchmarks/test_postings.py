"""Single postings through our act and through django-hordak's `transfer_to`, in turn, in one run.

Each has a fresh process of its own, warmed up by fifty postings.
"""

import os
import subprocess
import sys
from itertools import count
from statistics import median
from urllib.parse import urlsplit

import pytest
from django.db import connection

from accounts.models import BillingAccount
from billing_site.roles import as_owner
from tests.cast import Cast

ROUNDS, POSTINGS = 9, 400
PEER = "hordak_benchmark"
_rounds = count(1)


def rate_of(what: str, account: BillingAccount, environment: dict[str, str]) -> float:
    """Postings of ours a second; business keys go on where the last round stopped."""
    begin = next(_rounds) * 10 * POSTINGS
    return _printed([what, str(account.pk), str(begin), str(POSTINGS)], "our_postings", environment)


def rate_of_the_peer(environment: dict[str, str]) -> float:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {PEER}")
        cursor.execute(f"CREATE DATABASE {PEER}")
    address = environment["DATABASE_OWNER_URL"]
    path = urlsplit(address).path
    peer = {**environment, "HORDAK_DATABASE_URL": address.replace(f"@{path}?", f"@/{PEER}?")}
    return _printed([str(POSTINGS)], "hordak_postings", peer)


def _printed(arguments: list[str], module: str, environment: dict[str, str]) -> float:
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=os.getcwd())
    return float(printed.stdout.split()[-1])


@pytest.mark.benchmark
def test_single_postings_beside_django_hordak(
    committed_db: str, cast: Cast, process_environment: dict[str, str]
) -> None:
    rounds = [
        (
            rate_of("top_up", cast.prepaid, process_environment),
            rate_of_the_peer(process_environment),
            rate_of("adjust", cast.prepaid, process_environment),
        )
        for _ in range(ROUNDS)
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
