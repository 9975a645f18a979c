"""The API over a hundred thousand rows and over five million entries, and how fast allocations start through it.

Prints milliseconds (median), queries and ratios; fails only on a wrong answer or on more than eight queries.
"""

import logging
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import api_keys, clock
from accounts.abilities import EVERY
from accounts.models import BillingAccount, Project
from ledger.models import LedgerEntry
from tests.benchmarks.long_book import build
from tests.benchmarks.pages import Page, Timed, measured, milliseconds
from tests.billing_site.large_tables import fill
from tests.cast import ACTOR, Cast
from tests.funding import fund

ROWS = 100_000
ENTRIES, OF_ONE_ACCOUNT = 5_000_000, 200_000
MOST_QUERIES = 8
STARTS = 300


@pytest.fixture
def quiet(settings: Settings) -> Iterator[None]:
    """A line of log for each request would hide the figures, and the limit would end them."""
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 10**6
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def platform(cast: Cast) -> Client:
    """The platform's own program, with a key that may do everything."""
    key = api_keys.create(None, "benchmark", sorted(EVERY), actor=ACTOR, at=clock.now()).text
    return Client(headers={"Authorization": f"Bearer {key}"})


@pytest.mark.benchmark
@pytest.mark.usefixtures("quiet")
def test_lists_and_single_things_at_a_hundred_thousand_rows(committed_db: str, cast: Cast, platform: Client) -> None:
    fill(cast, rows=ROWS)
    project, account = Project.objects.latest("pk"), BillingAccount.objects.latest("pk")
    plain = measured(platform, Page("me", "/api/v1/me", "everywhere")).milliseconds
    print(f"\n{ROWS:,} projects, organizations, accounts and allocations; reference: /me {plain:.1f} ms")
    read = [
        Page("projects", "/api/v1/projects?limit=100", project.public_id),
        Page("a project", f"/api/v1/projects/{project.public_id}", project.slug),
        Page("organizations", "/api/v1/organizations?limit=100", "Large"),
        Page("billing accounts", "/api/v1/billing-accounts?limit=100", account.public_id),
        Page("a billing account", f"/api/v1/billing-accounts/{account.public_id}", account.name),
        Page("balances", "/api/v1/balances?limit=100", account.public_id),
        Page("allocations", "/api/v1/allocations?limit=100", f"machine-{ROWS}"),
        Page("allocations of a project", f"/api/v1/allocations?project={cast.project.public_id}", f"machine-{ROWS}"),
        Page("events", "/api/v1/events?limit=100", "next_after"),
    ]
    _tell([(page, measured(platform, page)) for page in read], plain)


@pytest.mark.benchmark
@pytest.mark.usefixtures("quiet")
def test_a_balance_among_five_million_entries(committed_db: str, cast: Cast, platform: Client) -> None:
    book = build(entries=ENTRIES, of_one_account=OF_ONE_ACCOUNT)
    of_big = f"/api/v1/billing-accounts/{book.big.public_id}"
    newest = LedgerEntry.objects.filter(ledger_account__billing_account=book.big).latest("pk")
    plain = measured(platform, Page("me", "/api/v1/me", "everywhere")).milliseconds
    print(f"\n{book.entries:,} entries, {book.entries_of_big:,} of one account; reference: /me {plain:.1f} ms")
    read = [
        Page("its balance", f"{of_big}/balance", str(newest.balance_after)),
        Page("its entries", f"{of_big}/entries?limit=100", newest.public_id),
        Page("an entry", f"/api/v1/ledger-entries/{newest.public_id}", newest.public_id),
    ]
    _tell([(page, measured(platform, page)) for page in read], plain)


@pytest.mark.benchmark
@pytest.mark.usefixtures("quiet")
def test_allocations_started_beside_a_bare_insert(committed_db: str, cast: Cast, platform: Client) -> None:
    fund(cast.prepaid)
    body = {"project": cast.project.public_id, "sku": cast.gpu.public_id, "quantity": "1"}

    def start() -> None:
        answer = platform.post("/api/v1/allocations", body, content_type="application/json")
        assert answer.status_code == 201, answer.content

    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO allocations (organization_id, project_id, sku_id, external_id, status, requested_at)"
                " VALUES (%s, %s, %s, '', 'requested', now())",
                [cast.acme.pk, cast.project.pk, cast.gpu.pk],
            )

    bare = milliseconds(insert)
    begun = time.perf_counter()
    for _ in range(STARTS):
        start()
    each = (time.perf_counter() - begun) * 1000 / STARTS
    print(f"\n{1000 / each:.0f} allocations started a second over the API, {each:.1f} ms each;")
    print(f"a bare insert and commit {bare:.2f} ms: {each / bare:.0f} times")


def _tell(timed: list[tuple[Page, Timed]], plain: float) -> None:
    for page, figures in timed:
        print(
            f"{page.name:<26} {figures.milliseconds:6.1f} ms ({figures.processor_ms:.0f} of the processor)"
            f" {len(figures.queries):2} queries {figures.milliseconds / plain:5.1f} × /me"
        )
    assert {page.name: figures.queries for page, figures in timed if len(figures.queries) > MOST_QUERIES} == {}
