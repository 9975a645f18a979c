"""Prometheus figures, read from the database at each scrape, on METRICS_PORT only."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts import clock
from billing_site import figures
from billing_site.bells import bells
from billing_site.figures import StandingFigures
from billing_site.request_metrics import SharedMetrics
from billing_site.unconfirmed_releases import MOST, unconfirmed_releases

log = structlog.stdlib.get_logger("billing_site.metrics")


class BillingCollector(Collector):
    """The same figures as the back office's home page."""

    def collect(self) -> Iterator[Metric]:
        try:
            measured = list(self._figures())
        except DatabaseError:
            log.exception("metrics_without_database")
            yield _gauge("database_up", "Whether the database answered this scrape.", 0)
            return
        yield _gauge("database_up", "Whether the database answered this scrape.", 1)
        yield from measured

    def _figures(self) -> Iterator[Metric]:
        at = clock.now()
        yield _gauge(
            "accrual_lag_seconds",
            "How long the longest waiting account is due.",
            figures.accrual_lag_seconds(at),
        )
        yield _gauge("accrual_parked_accounts", "Accounts whose accrual is parked.", figures.parked_accounts())
        outbox = figures.outbox_figures(at)
        yield _gauge("outbox_pending", "Deliveries under way.", outbox.pending)
        yield _gauge(
            "outbox_oldest_pending_seconds",
            "Age of the oldest pending message.",
            outbox.oldest_pending_seconds,
        )
        yield _gauge("outbox_dead_letters", "Deliveries given up.", outbox.dead)
        verified = figures.last_verification(at)
        if verified is not None:
            yield _gauge("verify_age_seconds", "Time since verify_books last finished.", verified.age_seconds)
            yield _gauge("verify_violations", "Violations that run found.", verified.violations)
        yield _accounts_by_state(figures.standing(at))
        releases = len(unconfirmed_releases(at))
        yield _gauge("unconfirmed_releases", f"Releases past their grace, counted to {MOST}.", releases)
        refused = len(figures.refused_catalogs())
        yield _gauge("catalog_refusals", "Sources whose newest catalog was refused.", refused)
        late = figures.plans(at)
        yield _gauge("limits_due_seconds", "How long the longest waiting limits are due.", late.limits_due_seconds)
        yield _gauge("subscriptions_due_seconds", "How late the latest move is.", late.subscriptions_due_seconds)
        yield _last_rings(at)


def _accounts_by_state(standing: StandingFigures) -> Metric:
    """Those out of the ordinary, by an index that holds no others; to count the healthy would read them all."""
    gauge = GaugeMetricFamily(
        "countinghouse_balance_accounts", "Prepaid accounts by balance state, but for healthy ones.", labels=["state"]
    )
    gauge.add_metric(["low_balance"], standing.low - standing.pending)
    gauge.add_metric(["auto_release_pending"], standing.pending)
    gauge.add_metric(["depleted"], standing.depleted)
    return gauge


def _last_rings(at: datetime) -> Metric:
    gauge = GaugeMetricFamily(
        "countinghouse_task_last_ring_seconds", "Time since a worker last took the task up.", labels=["task"]
    )
    for bell in bells():
        silent = bell.silent_seconds(at)
        if silent is not None:
            gauge.add_metric([bell.task], silent)
    return gauge


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"countinghouse_{name}", text, value=value)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. On any port but METRICS_PORT there is no such page."""
    if not came_in_on_metrics_port(request):
        raise Http404
    registry = CollectorRegistry(auto_describe=False)
    registry.register(BillingCollector())
    registry.register(SharedMetrics())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def came_in_on_metrics_port(request: HttpRequest) -> bool:
    """By the listening socket. A unix socket's peer has no address: there the Host header names the port."""
    return request.META.get("SERVER_PORT") == str(settings.METRICS_PORT) and bool(request.META.get("REMOTE_ADDR"))
