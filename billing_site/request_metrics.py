"""How long requests took and how they ended, by route, for Prometheus.

Each web process counts for itself; where PROMETHEUS_MULTIPROC_DIR names a folder they share (as `serve` does), a scrape
of any of them tells of all.
"""

import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from accounts.api import auth_failures
from billing_site.console import namespace_access

REGISTRY = CollectorRegistry(auto_describe=False)
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
DURATIONS = Histogram(
    "countinghouse_request_duration_seconds",
    "Time from the first line of a request to its answer.",
    ["method", "route"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
ANSWERS = Counter(
    "countinghouse_requests", "Answers by route and class of status.", ["method", "route", "status"], registry=REGISTRY
)
# Money is moved or promised behind these; 99.9 of 100 of their requests must not fail by our fault.
PAYMENT_PATHS = (
    *("payments/", "webhooks/", "api/v1/bank-transfers", "api/billing/organization-subscription"),
    *("api/billing/verify-checkout", "api/billing/customer-portal", "api/billing/webhook"),
)
OBJECTIVE = 0.999
PAYMENTS = Counter(
    "countinghouse_payment_path_requests",
    "Requests on payment paths, by whether the failure was ours.",
    ["outcome"],
    registry=REGISTRY,
)
PAYMENT_DURATIONS = Histogram(
    "countinghouse_payment_path_duration_seconds",
    "The same times, on payment paths.",
    buckets=BUCKETS,
    registry=REGISTRY,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(method: str | None, route: str | None, status: int, seconds: float) -> None:
    """One finished request; `route` is the pattern it matched, so that addresses do not become labels."""
    verb = method if method in _METHODS else "other"
    where = route if route is not None else "unmatched"
    DURATIONS.labels(verb, where).observe(seconds)
    ANSWERS.labels(verb, where, f"{status // 100}xx").inc()
    if where.startswith(PAYMENT_PATHS):
        PAYMENTS.labels("failed" if status >= 500 else "answered").inc()
        PAYMENT_DURATIONS.observe(seconds)


class SharedMetrics(Collector):
    """What every process counted, where they share a folder; else what this one did."""

    def collect(self) -> Iterator[Metric]:
        found = list(_counted())
        yield from found
        yield from error_budget(found)


def _counted() -> Iterator[Metric]:
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        shared = CollectorRegistry(auto_describe=False)
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        yield from shared.collect()
        return
    for registry in (REGISTRY, auth_failures.REGISTRY, namespace_access.REGISTRY):
        yield from registry.collect()


def error_budget(found: list[Metric]) -> Iterator[Metric]:
    """What is left of the failures that the objective allows: 1 untouched, 0 used up, below 0 overspent."""
    outcomes = {"answered": 0.0, "failed": 0.0}
    for metric in found:
        for sample in metric.samples:
            if sample.name == "countinghouse_payment_path_requests_total":
                outcomes[sample.labels["outcome"]] += sample.value
    every = sum(outcomes.values())
    left = 1 - outcomes["failed"] / (every * (1 - OBJECTIVE)) if every else 1.0
    told = f"Share of the error budget of payment paths that is left ({OBJECTIVE:.1%} of requests), since the start."
    yield GaugeMetricFamily("countinghouse_payment_path_error_budget_remaining", told, value=left)
