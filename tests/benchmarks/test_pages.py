"""Pages of the back office over five million entries, as Dana reads them, beside a page that asks for nothing.

Prints milliseconds (median), queries and ratios; fails only on a wrong page or on more than a dozen queries.
"""

import logging
import time
from collections.abc import Iterator

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from ledger.models import LedgerEntry
from tests.benchmarks.long_book import DAY, LongBook, build
from tests.benchmarks.pages import SLOW_MS, Page, Timed, measured, milliseconds, plan_of
from tests.cast import Cast

ENTRIES, OF_ONE_ACCOUNT = 5_000_000, 200_000
MOST_QUERIES = 12
REFERENCE = Page("password page", reverse("admin:password_change"), "old_password")


@pytest.fixture
def quiet() -> Iterator[None]:
    """A line of log for each request would hide the figures."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.benchmark
@pytest.mark.usefixtures("quiet")
def test_pages_over_five_million_entries(committed_db: str, cast: Cast, client: Client) -> None:
    begun = time.perf_counter()
    book = build(entries=ENTRIES, of_one_account=OF_ONE_ACCOUNT)
    print(f"\n{book.entries:,} entries since {book.began:%Y-%m-%d}, {book.entries_of_big:,} of one account")
    print(f"(built in {time.perf_counter() - begun:.0f} s)")
    client.force_login(cast.dana)
    plain = measured(client, REFERENCE).milliseconds
    newest = list(LedgerEntry.objects.order_by("-pk").values_list("pk", flat=True)[:100])
    rows = milliseconds(lambda: list(LedgerEntry.objects.filter(pk__in=newest)))
    print(f"references: {REFERENCE.name} {plain:.1f} ms; 100 entries by their keys {rows:.1f} ms")
    timed = [(page, measured(client, page)) for page in (*_lists(book), *_single_pages(book), *_searches(book))]
    for page, figures in timed:
        _tell(page, figures, plain)
    assert {page.name: found.queries for page, found in timed if len(found.queries) > MOST_QUERIES} == {}


def _tell(page: Page, timed: Timed, plain: float) -> None:
    print(
        f"{page.name:<30} {timed.milliseconds:7.1f} ms ({timed.processor_ms:.0f} of the processor)"
        f" {len(timed.queries):3} queries"
        f" {timed.milliseconds / plain:5.1f} × {REFERENCE.name}, slowest query {timed.slowest_ms:.0f} ms"
    )
    if timed.slowest_ms >= SLOW_MS:
        print(f"{timed.slowest}\n{plan_of(timed.slowest)}\n")


def _lists(book: LongBook) -> list[Page]:
    """The list of entries, each page known by the row it begins with."""
    rows = LedgerEntry.objects.order_by("-pk")
    day = (book.began + book.days // 2 * DAY).date()
    of_day = rows.filter(effective_at__date=day).order_by("-effective_at", "-pk")
    days = f"effective_at_from={day}&effective_at_to={day}"
    wallets, top_ups = rows.filter(account_seq__isnull=False), rows.filter(reason="topup")
    deep = rows.filter(pk__lt=book.entries // 2)
    big, small = (rows.filter(ledger_account__billing_account=account) for account in (book.big, book.small))
    return [
        _listed("entries", "", rows),
        _listed("entries, a deep page", f"after={book.entries // 2}", deep),
        _listed("entries of wallets", "kind=wallet", wallets),
        _listed("entries of usage_revenue", "kind=usage_revenue", rows.filter(account_seq=None)),
        Page("entries of bank: none", f"{_list('ledger_ledgerentry')}?kind=bank", "Nothing matches"),
        _listed("usage", "reason=usage", rows),
        _listed("top-ups", "reason=topup", top_ups),
        _listed("entries of a day", days, of_day),
        _listed("wallets on a day", f"kind=wallet&{days}", of_day.filter(account_seq__isnull=False)),
        Page("top-ups on a day: none", f"{_list('ledger_ledgerentry')}?reason=topup&{days}", "Nothing matches"),
        _listed("entries of the large account", f"q={book.big.public_id}", big),
        _listed("entries of a small account", f"q={book.small.public_id}", small),
    ]


def _listed(name: str, query: str, rows: QuerySet[LedgerEntry]) -> Page:
    return Page(name, f"{_list('ledger_ledgerentry')}?{query}", rows[0].public_id)


def _single_pages(book: LongBook) -> list[Page]:
    last = LedgerEntry.objects.latest("pk")
    return [
        Page("home", reverse("admin:index"), "Accrual lag"),
        Page("large account", _page("accounts_billingaccount", book.big.pk), book.big.public_id),
        Page("small account", _page("accounts_billingaccount", book.small.pk), book.small.public_id),
        Page("billing accounts", _list("accounts_billingaccount"), f"Account {book.accounts}"),
        Page("an entry", _page("ledger_ledgerentry", last.pk), last.public_id),
        Page("a transaction", _page("ledger_ledgertransaction", last.transaction_id), last.transaction.public_id),
    ]


def _searches(book: LongBook) -> list[Page]:
    entry = LedgerEntry.objects.filter(ledger_account__billing_account=book.small).latest("pk")
    posted = _page("ledger_ledgertransaction", entry.transaction_id)
    return [
        Page("search: id of an entry", _search(entry.public_id), _page("ledger_ledgerentry", entry.pk), leads=True),
        Page("search: business key", _search(entry.transaction.business_key), posted, leads=True),
        Page("search: beginning of a name", _search("Account 10"), "Account 10"),
        Page("search: nothing of that name", _search("no such thing"), "no such thing"),
    ]


def _search(term: str) -> str:
    return reverse("admin:search", query={"q": term})


def _list(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def _page(model: str, key: int) -> str:
    return reverse(f"admin:{model}_change", args=[key])
