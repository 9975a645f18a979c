"""How long a page takes, how many queries it asks, and which of them is slow."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

WARM_UP, TIMES = 2, 9
SLOW_MS = 40.0


@dataclass(frozen=True)
class Page:
    """An address, and what its answer must hold: text, or the beginning of the address it leads to."""

    name: str
    address: str
    holds: str
    leads: bool = False


@dataclass(frozen=True)
class Timed:
    """Medians: by the clock, and of the processor time of this process, which a busy machine does not lengthen."""

    milliseconds: float
    processor_ms: float
    queries: list[str]
    slowest: str
    slowest_ms: float


def measured(client: Client, page: Page) -> Timed:
    """Read a page several times and once more with its queries kept. Fails where it is not the right page."""
    times, worked = [], []
    for number in range(WARM_UP + TIMES):
        begun, began_work = time.perf_counter(), time.process_time()
        response = client.get(page.address)
        if number >= WARM_UP:
            times.append((time.perf_counter() - begun) * 1000)
            worked.append((time.process_time() - began_work) * 1000)
        assert_right(response, page)
    with CaptureQueriesContext(connection) as captured:
        client.get(page.address)
    slowest = max(captured.captured_queries, key=lambda query: float(query["time"]), default={"sql": "", "time": "0"})
    return Timed(
        median(times),
        median(worked),
        [query["sql"] for query in captured],
        slowest["sql"],
        float(slowest["time"]) * 1000,
    )


def assert_right(response: HttpResponse, page: Page) -> None:
    if page.leads:
        assert response.status_code == 302, (page.name, response.status_code)
        assert response["Location"].startswith(page.holds), (page.name, response["Location"])
        return
    assert response.status_code == 200, (page.name, response.status_code)
    assert page.holds in response.content.decode(), (page.name, page.holds)


def milliseconds(work: Callable[[], object]) -> float:
    """The median of several turns."""
    times = []
    for _ in range(WARM_UP + TIMES):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1000)
    return median(times[WARM_UP:])


def plan_of(statement: str) -> str:
    """How the database goes about a SELECT, with its times; empty for anything else."""
    if not statement.startswith("SELECT"):
        return ""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + statement)
        return "\n".join(line for (line,) in cursor.fetchall())
